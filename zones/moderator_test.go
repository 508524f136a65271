package zones

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestModeratorIsRead(t *testing.T) {
	c, problems := loadConfigText(t, "name = \"ns1\"\n[moderator]\nlisten = [\"0.0.0.0:443\", \"[::]:443\"]\ncert = \"m.crt\"\nkey = \"/etc/m.key\"\n")
	wantLines(t, lines(problems), "")
	want := &ModeratorConfig{
		Listen:   []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:443"), netip.MustParseAddrPort("[::]:443")},
		CertFile: filepath.Join(filepath.Dir(c.File), "m.crt"), KeyFile: "/etc/m.key",
	}
	if !reflect.DeepEqual(c.Moderator, want) {
		t.Errorf("got  %+v\nwant %+v", c.Moderator, want)
	}
	if c, problems = loadConfigText(t, "[moderator]\nlisten = \"127.0.0.1:8080\"\n"); len(problems) > 0 || len(c.Moderator.Listen) != 1 || c.Moderator.CertFile != "" {
		t.Errorf("one address, without a certificate: %+v, %v", c.Moderator, problems)
	}
	if c, _ = loadConfigText(t, "name = \"ns1\"\n"); c.Moderator != nil {
		t.Errorf("off: %+v", c.Moderator)
	}
}

func TestModeratorProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"in the clear", "[moderator]\nlisten = [\n\"127.0.0.1:80\",\n\"0.0.0.0:80\",\n\"[::1]:80\",\n\"[2001:db8::1]:80\"]\n", `
			livens.toml:4: moderator.listen.2: 0.0.0.0:80 is open to others, and there is no certificate (give cert and key, or a loopback address with a proxy in front that has them)
			livens.toml:6: moderator.listen.4: [2001:db8::1]:80 is open to others, and there is no certificate (give cert and key, or a loopback address with a proxy in front that has them)`},
		{"half of a pair", "[moderator]\nlisten = \"0.0.0.0:443\"\ncert = \"a\"\n", `
			livens.toml:3: moderator.cert: has no meaning without key (for example key = "moderator.key")`},
		{"the other half", "[moderator]\nlisten = \"0.0.0.0:443\"\nkey = \"a\"\n", `
			livens.toml:3: moderator.key: has no meaning without cert (for example cert = "moderator.crt")`},
		{"an address twice", "[moderator]\nlisten = [\"127.0.0.1:80\", \"127.0.0.1:80\"]\n", `
			livens.toml:2: moderator.listen.2: 127.0.0.1:80 is given twice`},
		{"nowhere", "[moderator]\nlisten = []\n", `
			livens.toml:2: moderator.listen: is empty (for example listen = ["0.0.0.0:443", "[::]:443"])`},
		{"no address", "[moderator]\nlisten = \":443\"\ncert = \"a\"\nkey = \"b\"\n", `
			livens.toml:2: moderator.listen.1: ":443" names no address (write "0.0.0.0:443" and "[::]:443")`},
		{"a wrong type", "[moderator]\nlisten = 443\ncert = 1\n", `
			livens.toml:2: moderator.listen: wants an address:port list, got the integer 443 (for example listen = ["0.0.0.0:443", "[::]:443"])
			livens.toml:3: moderator.cert: wants a string, got the integer 1 (for example cert = "moderator.crt")
			livens.toml:3: moderator.cert: has no meaning without key (for example key = "moderator.key")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := loadConfigText(t, test.text)
			wantLines(t, lines(problems), test.want)
		})
	}
}

// clientZone is a zone with a pool chat that has this [pool.chat.client], and deployments with these further keys.
func clientZone(client, first, second string) string {
	if client != "" {
		client = "[pool.chat.client]\n" + client
	}
	return "[zone]\nname = \"chat.example.com\"\nns = [\"ns1\", \"NS2.Example.net.\"]\ncontact = \"h@example.com\"\nrecords = [\"ns1 A 192.0.2.53\"]\n" +
		"[pool.chat]\nanswers = [\"*.eu\", \"www\", \"@\"]\ncheck = { type = \"icmp\" }\n" + client +
		"[[pool.chat.deployment]]\nname = \"a\"\naddresses = [\"192.0.2.10\", \"2001:db8::10\"]\n" + first +
		"[[pool.chat.deployment]]\nname = \"b\"\naddresses = [\"192.0.2.20\", \"2001:db8::20\"]\n" + second
}

func TestClientDefaults(t *testing.T) {
	secure := func(listen string) *ModeratorConfig {
		return &ModeratorConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort(listen)}, CertFile: "c", KeyFile: "k"}
	}
	for _, test := range []struct {
		name, client, first string
		moderator           *ModeratorConfig
		want                string
	}{
		{"nothing is given", "", "", secure("0.0.0.0:443"), `wss://www.chat.example.com/chat
			https://ns1.chat.example.com https://ns2.example.net
			https://ns1.chat.example.com/livens.js https://ns2.example.net/livens.js
			wss://192.0.2.10/chat wss://[2001:db8::10]/chat
			wss://192.0.2.20/chat wss://[2001:db8::20]/chat`},
		{"another port", "", "", secure("[::]:8443"), `wss://www.chat.example.com/chat
			https://ns1.chat.example.com:8443 https://ns2.example.net:8443
			https://ns1.chat.example.com:8443/livens.js https://ns2.example.net:8443/livens.js
			wss://192.0.2.10/chat wss://[2001:db8::10]/chat
			wss://192.0.2.20/chat wss://[2001:db8::20]/chat`},
		{"only this host", "url = \"ws://127.0.0.1:8080/ws\"\n", "", &ModeratorConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9443")}}, `ws://127.0.0.1:8080/ws
			http://127.0.0.1:9443
			http://127.0.0.1:9443/livens.js
			ws://192.0.2.10:8080/ws ws://[2001:db8::10]:8080/ws
			ws://192.0.2.20:8080/ws ws://[2001:db8::20]:8080/ws`},
		{"everything is given", "url = \"wss://x.example/c?v=1\"\nmoderators = [\"https://m.example:8443\"]\nscripts = [\"https://cdn.example/livens.js\"]\n",
			"urls = [\"wss://fra.example/c\", \"wss://[2001:db8::1]:444/c\"]\n", nil, `wss://x.example/c?v=1
			https://m.example:8443
			https://cdn.example/livens.js
			wss://fra.example/c wss://[2001:db8::1]:444/c
			wss://192.0.2.20/c?v=1 wss://[2001:db8::20]/c?v=1`},
		{"nobody is asked", "moderators = []\nscripts = [\"https://cdn.example/livens.js\"]\n", "", secure("0.0.0.0:443"), `wss://www.chat.example.com/chat

			https://cdn.example/livens.js
			wss://192.0.2.10/chat wss://[2001:db8::10]/chat
			wss://192.0.2.20/chat wss://[2001:db8::20]/chat`},
		{"no listener", "", "", nil, `error: nobody serves the script: give [moderator] in livens.toml, or moderators or scripts in [pool.chat.client]`},
		{"no script", "moderators = []\n", "", secure("0.0.0.0:443"), `error: nobody serves the script: give [moderator] in livens.toml, or moderators or scripts in [pool.chat.client]`},
	} {
		set, problems := folderOf{"z.toml": clientZone(test.client, test.first, "")}.validate(t)
		wantLines(t, problems, "")
		c, deployments, err := set.ClientOf(set.Pools[0], test.moderator)
		got := "error: "
		if err != nil {
			got += err.Error()
		} else {
			rows := []string{c.URL, strings.Join(c.Moderators, " "), strings.Join(c.Scripts, " ")}
			for _, urls := range deployments {
				rows = append(rows, strings.Join(urls, " "))
			}
			got = strings.Join(rows, "\n")
		}
		if want := strings.ReplaceAll(test.want, "\t", ""); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", test.name, got, want)
		}
	}
	wild := strings.Replace(clientZone("", "", ""), `"*.eu", "www", "@"`, `"*.eu"`, 1)
	set, problems := folderOf{"z.toml": wild}.validate(t)
	wantLines(t, problems, "")
	if _, _, err := set.ClientOf(set.Pools[0], secure("0.0.0.0:443")); err == nil || err.Error() != `pool "chat" answers only at wildcards: give url in [pool.chat.client]` {
		t.Errorf("wildcards: %v", err)
	}
}

func TestClientProblems(t *testing.T) {
	for _, test := range []struct{ client, first, second, want string }{
		{"url = \"https://chat.example.com/chat\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: is no wss URL (for example wss://chat.example.com/chat)`},
		{"url = \"ws://chat.example.com/chat\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: crosses the network in clear, and no https page may use it (use wss)`},
		{"url = \"wss://u:pw@chat.example.com/chat\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: has a name or a password, which every visitor would read (remove them)`},
		{"url = \"wss://chat.example.com/chat#x\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: has a fragment (remove it)`},
		{"url = \"wss://a;b/chat\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: has no host that a browser could find (for example wss://chat.example.com/chat)`},
		{"url = \"wss://chat.example.com:70000/\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: has no host that a browser could find (for example wss://chat.example.com/chat)`},
		{"url = \"\"\n", "", "", `zones/z.toml:10: pool.chat.client.url: is empty (leave the key out for the default)`},
		{"moderators = [\"https://ns1.example/v1\", \"https://ns1.example\", \"https://ns1.example\", \"ns1.example\"]\n", "", "", `
			zones/z.toml:10: pool.chat.client.moderators.1: "https://ns1.example/v1" is more than an origin (https://ns1.example)
			zones/z.toml:10: pool.chat.client.moderators.3: https://ns1.example is given twice
			zones/z.toml:10: pool.chat.client.moderators.4: "ns1.example" is no https URL (for example https://chat.example.com)`},
		{"scripts = [\"http://cdn.example/livens.js\"]\n", "", "", `zones/z.toml:10: pool.chat.client.scripts.1: "http://cdn.example/livens.js" crosses the network in clear, and no https page may use it (use https)`},
		{"", "urls = [\"wss://x.example/c\"]\n", "urls = [\"wss://y.example/c\", \"wss://x.example/c\"]\n",
			`zones/z.toml:9: pool.chat.deployment.b.urls: wss://x.example/c belongs to deployment a too (each URL leads to one deployment)`},
		{"", "urls = []\n", "", `zones/z.toml:12: pool.chat.deployment.a.urls: is empty (for example urls = ["wss://fra.chat.example.com/chat", "wss://fra.chat.example.net/chat"])`},
		{"ulr = \"wss://x\"\n", "", "", `zones/z.toml:10: pool.chat.client.ulr: unknown key (did you mean "url"?)`},
	} {
		_, problems := folderOf{"z.toml": clientZone(test.client, test.first, test.second)}.validate(t)
		wantLines(t, problems, test.want)
	}
}

// TestClientChangesNoAnswer: nameservers agree on a pool whatever a page is told, also those of before it was told anything.
func TestClientChangesNoAnswer(t *testing.T) {
	plain, _ := folderOf{"z.toml": clientZone("", "", "")}.validate(t)
	told, problems := folderOf{"z.toml": clientZone("url = \"wss://x.example/\"\n", "urls = [\"wss://y.example/\"]\n", "")}.validate(t)
	wantLines(t, problems, "")
	if plain.Pools[0].Hash != told.Pools[0].Hash || plain.Zones[0].Hash != told.Zones[0].Hash {
		t.Error("what a page is told changed the hash of the answers")
	}
}
