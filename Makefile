# make prints its targets.
GO ?= go
VERSION_FLAGS = -trimpath -buildvcs=true

.PHONY: help build client demo tour test test-spare test-waits test-histories chat-drills test-client test-livechat test-long evidence bench bench-failover golden fuzz lint clean
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/livens
	$(GO) build $(VERSION_FLAGS) -o bin/livens ./cmd/livens

client: ## client/dist, the built script, from its sources
	cd client && npm ci --no-audit --no-fund && npm run build

demo: build ## three nameservers, two chat deployments, a visitor and an operator on one page, with buttons that break it
	cd livechat && $(GO) build $(VERSION_FLAGS) -o ../bin/livechat ./cmd/livechat && $(GO) build $(VERSION_FLAGS) -o ../bin/demo ./demo
	bin/demo -livens bin/livens -livechat bin/livechat

tour: build ## three nameservers, two deployments, what fails and what is ordered: on this terminal
	$(GO) run ./tour -livens bin/livens

lint: ## gofmt, vet, staticcheck, and that livens builds for other processors and where there is no Linux
	@test -z "$$(gofmt -l .)" || { echo "gofmt these files:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	GOOS=freebsd $(GO) build -o /dev/null ./cmd/livens
	GOARCH=arm64 $(GO) build -o /dev/null ./cmd/livens
	GOARCH=386 $(GO) build -o /dev/null ./cmd/livens
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	cd livechat && $(GO) vet ./... && $(GO) tool -modfile=../tools/go.mod staticcheck ./...

# Real processes are judged there by the clock, the slowest one too: nothing that they would have to wait for runs beside them.
TIMED = ./drill ./tour
UNTIMED = $$($(GO) list ./... | grep -vE '/(drill|tour)$$')
# Vetted they are by lint.
TEST = $(GO) test -count=1 -vet=off

test: ## everything, after installing what the tests need
	./scripts/test-tools.sh
	$(MAKE) --no-print-directory -j 2 --output-sync test-spare test-waits

# It runs beside what waits, in the kernel's class of those that make way at once.
test-spare: ## of make test, what only computes: lint, the client, 500 random histories of clusters
	chrt --idle 0 $(MAKE) --no-print-directory lint test-client test-histories

test-waits: ## of make test, the rest, one after the other: the tests, those of the chat deployment, the drills, the chat drills
	$(TEST) -timeout=11m -p 3 -skip RandomHistories $(UNTIMED)
	$(MAKE) --no-print-directory test-livechat
	$(TEST) -timeout=11m -p 1 $(TIMED)
	$(MAKE) --no-print-directory chat-drills

test-histories: ## 500 random histories of simulated clusters
	GOGC=1000 $(TEST) -timeout=11m ./cluster -run RandomHistories

chat-drills: ## people chat in Chromium while what they chat through fails, five minutes on a machine with nothing else to do
	cd livechat && $(TEST) -timeout=15m ./drill

test-livechat: ## the chat deployment, a module of its own, and its pages in Chromium
	cd livechat && $(TEST) -timeout=15m -p 4 $$($(GO) list ./... | grep -v '/drill$$')

test-client: ## the script on the page: types, behaviours, random histories, the package
	cd client && npm ci --no-audit --no-fund && npm test

test-long: build ## the same with the race detector, more drills, longer random histories, and each fuzzer for FUZZTIME
	./scripts/test-tools.sh
	$(GO) test -count=1 -timeout=60m -race -skip RandomHistories $(UNTIMED)
	LIVENS_DRILL_REPEATS=10 $(GO) test -count=1 -timeout=60m -p 1 $(TIMED)
	cd livechat && $(GO) test -count=1 -timeout=60m -race -skip TestInSyncUnderTraffic $$($(GO) list ./... | grep -vE '/(drill|demo)$$')
	cd livechat && LIVENS_DRILL_REPEATS=10 LIVENS_DRILL_SEEDS=200 LIVENS_DRILL_MESSAGES=500 $(GO) test -count=1 -timeout=180m ./drill
	$(GO) test -count=1 -timeout=60m ./failover -run 'Oracle|Contract' -rapid.checks=20000
	./scripts/test-tools.sh bench
	$(GO) run ./bench/peers -livens bin/livens -rounds 1 -seconds 1 -out bin/peers
	cd client && LIVENS_SEEDS=3000 node --test test/random.test.js
	$(GO) test -count=1 -timeout=90m ./cluster -run RandomHistories -seeds=10000
	$(MAKE) --no-print-directory fuzz

FUZZTIME ?= 10m
fuzz: ## every fuzzer for FUZZTIME (10m)
	./scripts/fuzz.sh $(FUZZTIME)

bench: build ## the figures of docs/performance.md: livens beside gdnsd, NSD, Knot, PowerDNS and BIND, three quarters of an hour; then bench-failover
	./scripts/test-tools.sh bench
	$(GO) run ./bench/peers -livens bin/livens
	$(MAKE) --no-print-directory bench-failover

bench-failover: build ## of make bench: detection, load, many targets, polls, agreement of several nameservers
	$(GO) run ./bench -livens bin/livens

golden: ## rewrite what tests expect to be printed (scenarios, bad configurations, tables of keys); read the diff
	$(GO) test -count=1 . ./zones ./cluster -run 'Scenarios|BadConfig|DocsTables|Partitions|SitesAndPorts' -update

evidence: ## hold the chat drills and write what they measured into docs/failures.md
	cd livechat && $(GO) test -count=1 -timeout=15m ./drill -update

clean: ## what make made
	rm -rf bin
