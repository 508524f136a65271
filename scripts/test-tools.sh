#!/bin/sh
# Installs the Debian packages that the tests need and that are missing: other people's DNS servers and clients to
# compare with, a browser, and the tools that build networks to break; and a Node.js from npm where Debian's is too old.
# No daemon is started, and nothing else is changed. With "bench", what make bench compares with, and loads with, as well.
set -eu

policy=/usr/sbin/policy-rc.d
log=
saved=

fail() {
	echo "test-tools: $1" >&2
	exit 1
}

# program → package. A program counts as found wherever a root shell would find it.
missing_packages() {
	PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
	while read -r program package; do
		[ -n "$program" ] || continue
		command -v "$program" >/dev/null 2>&1 || printf '%s ' "$package"
	done <<-END
		$1
		knotd knot
		kdig knot-dnsutils
		named bind9
		dig bind9-dnsutils
		drill ldnsutils
		unbound unbound
		nsd nsd
		ip iproute2
		nft nftables
		chromium chromium
		node nodejs
		npm npm
	END
}

more=
[ "${1:-}" != bench ] || more='gdnsd gdnsd
pdns_server pdns-server pdns-backend-bind
dnsperf dnsperf
kxdpgun knot-dnsutils'

# While policy-rc.d exits 101, Debian's maintainer scripts start no service.
forbid_daemons() {
	saved=$(mktemp -d)
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		cp -a "$policy" "$saved/policy-rc.d"
	fi
	rm -f "$policy"
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

restore() {
	if [ -n "$saved" ]; then
		rm -f "$policy"
		[ ! -e "$saved/policy-rc.d" ] && [ ! -L "$saved/policy-rc.d" ] || cp -a "$saved/policy-rc.d" "$policy"
		rm -rf "$saved"
	fi
	[ -z "$log" ] || rm -f "$log"
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}

install_packages() {
	[ -n "$packages" ] || return 0
	command -v apt-get >/dev/null 2>&1 ||
		fail "not Debian: there is no apt-get; install by hand the programs of $packages"
	[ "$(id -u)" -eq 0 ] || fail "not root: run as root to install $packages"
	echo "test-tools: installing $packages"
	forbid_daemons
	# The lists at hand may do; they are fetched anew only when the first try fails.
	# shellcheck disable=SC2086 # one word a package
	apt install --no-install-recommends $packages ||
		{ apt update && apt install --no-install-recommends $packages; } ||
		{
			tail -n 20 "$log" >&2
			fail "apt-get could not install $packages"
		}
	left=$(missing_packages "$more")
	[ -z "$left" ] || fail "installed, and still missing a program of $left"
}

# The client's tests need Node.js 20; that of Debian 12 is older.
node_is_old() {
	major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9][0-9]*\)\..*/\1/p')
	[ "${major:-0}" -lt 20 ]
}

# npm brings Node.js as a package; its program comes before Debian's in the PATH.
renew_node() {
	node_is_old || return 0
	old="$(command -v node) is $(node --version), and the client's tests need Node.js 20 or later"
	[ "$(id -u)" -eq 0 ] || fail "$old: run as root to install it, or: npm install --global node@22"
	echo "test-tools: $old; installing node@22 with npm"
	npm install --global node@22 </dev/null >>"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		fail "npm could not install node@22: install Node.js 20 or later by hand"
	}
	hash -r
	! node_is_old || fail "installed, and still $(command -v node) is $(node --version): put $(npm prefix --global)/bin first in PATH"
}

packages=$(missing_packages "$more")
packages=${packages% }
if [ -z "$packages" ] && ! node_is_old; then
	echo "test-tools: everything that the tests need is here"
	exit 0
fi
trap restore EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
log=$(mktemp)
install_packages
renew_node
