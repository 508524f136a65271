# make prints its targets.
GO ?= go
VERSION_FLAGS = -trimpath -buildvcs=true

.PHONY: help build client demo tour test test-untimed test-client test-livechat test-long evidence bench golden fuzz lint clean
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

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt these files:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

# Real processes are judged there by the clock, the slowest one too: nothing else may keep the machine busy meanwhile.
TIMED = ./drill ./tour
# The longest comes first. Most of them wait more than they work.
UNTIMED = ./cluster $$($(GO) list ./... | grep -vE '/(cluster|drill|tour)$$')

test: ## everything, after installing what the tests need
	./scripts/test-tools.sh
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -j 3 --output-sync test-untimed test-client test-livechat
	$(GO) test -count=1 -timeout=11m -p 1 $(TIMED)
	cd livechat && $(GO) test -count=1 -timeout=11m ./drill

test-untimed: ## nameservers, but for what is judged by the clock
	$(GO) test -count=1 -timeout=11m -p 3 $(UNTIMED)

test-livechat: ## the chat deployment, a module of its own, and its pages in Chromium
	cd livechat && $(GO) vet ./... && $(GO) tool -modfile=../tools/go.mod staticcheck ./...
	cd livechat && $(GO) test -count=1 -timeout=15m $$($(GO) list ./... | grep -v '/drill$$')

test-client: ## the script on the page: types, behaviours, random histories, the package
	cd client && npm ci --no-audit --no-fund && npm test

test-long: ## the same with the race detector, more drills, longer random histories, and each fuzzer for FUZZTIME
	./scripts/test-tools.sh
	$(GO) test -count=1 -timeout=60m -race $(UNTIMED)
	LIVENS_DRILL_REPEATS=10 $(GO) test -count=1 -timeout=60m -p 1 $(TIMED)
	cd livechat && $(GO) test -count=1 -timeout=60m -race -skip TestInSyncUnderTraffic $$($(GO) list ./... | grep -vE '/(drill|demo)$$')
	cd livechat && LIVENS_DRILL_REPEATS=10 LIVENS_DRILL_SEEDS=200 LIVENS_DRILL_MESSAGES=500 $(GO) test -count=1 -timeout=180m ./drill
	$(GO) test -count=1 -timeout=60m ./failover -run 'Oracle|Contract' -rapid.checks=20000
	cd client && LIVENS_SEEDS=3000 node --test test/random.test.js
	$(GO) test -count=1 -timeout=90m ./cluster -run RandomHistories -seeds=10000
	$(MAKE) --no-print-directory fuzz

FUZZTIME ?= 10m
fuzz: ## every fuzzer for FUZZTIME (10m)
	./scripts/fuzz.sh $(FUZZTIME)

bench: build ## detection, load, polls, agreement of several nameservers: the figures of docs/performance.md
	$(GO) run ./bench -livens bin/livens

golden: ## rewrite what tests expect to be printed (scenarios, bad configurations, tables of keys); read the diff
	$(GO) test -count=1 . ./zones ./cluster -run 'Scenarios|BadConfig|DocsTables|Partitions|SitesAndPorts' -update

evidence: ## hold the chat drills and write what they measured into docs/failures.md
	cd livechat && $(GO) test -count=1 -timeout=15m ./drill -update

clean: ## what make made
	rm -rf bin
