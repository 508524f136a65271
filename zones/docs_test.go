package zones

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/configuration.md and the wanted output of testdata/badconfig")

const docsFile = "../docs/configuration.md"

// documented are the tables of keys by the name that docs/configuration.md has for them.
func documented() map[string][]key {
	return map[string][]key{
		"config": configKeys(), "http": httpKeys(), "moderator": moderatorKeys(), "dns": dnsKeys(), "log": logKeys(), "checker": checkerKeys(), "cluster": clusterKeys(), "hook": hookKeys(),
		"zone": zoneKeys(), "pool": poolKeys(), "client": clientKeys(), "deployment": deploymentKeys(), "check": checkKeys(),
	}
}

// TestDocsTables holds the tables of keys in docs/configuration.md to the schema.
func TestDocsTables(t *testing.T) {
	data, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	for name, keys := range documented() {
		doc = replaceBlock(t, doc, "<!-- keys: "+name+" -->", keyTable(keys))
	}
	doc = replaceBlock(t, doc, "<!-- types -->", typeTable())
	if doc == string(data) {
		return
	}
	if !*update {
		t.Fatal("docs/configuration.md differs from the schema; go test ./zones -run Docs -update rewrites its tables")
	}
	if err := os.WriteFile(docsFile, []byte(doc), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceBlock(t *testing.T, doc, begin, content string) string {
	t.Helper()
	before, rest, found := strings.Cut(doc, begin+"\n")
	_, after, ended := strings.Cut(rest, "<!-- end -->")
	if !found || !ended {
		t.Fatalf("docs/configuration.md has no %s", begin)
	}
	return before + begin + "\n" + content + "<!-- end -->" + after
}

func keyTable(keys []key) string {
	var b strings.Builder
	b.WriteString("| key | type | default | bounds | example | meaning |\n|---|---|---|---|---|---|\n")
	for _, k := range keys {
		if k.keys != nil {
			continue // has a section of its own
		}
		meaning := k.doc
		if k.restart {
			meaning += " **Restart.**"
		}
		example := strings.ReplaceAll(k.example, "|", `\|`)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` | %s |\n", k.name, k.form, docDefault(k), docBounds(k), example, meaning)
	}
	return b.String()
}

func docDefault(k key) string {
	switch def := k.def.(type) {
	case nil:
		switch {
		case k.required:
			return "**required**"
		case k.defText != "":
			return k.defText
		}
		return "none"
	case string:
		if k.defText == "" {
			return fmt.Sprintf("`%q`", def)
		}
	case time.Duration:
		if k.defText == "" {
			return fmt.Sprintf("`\"%s\"`", shortDuration(def))
		}
	case []string:
		return fmt.Sprintf("`[\"%s\"]`", strings.Join(def, `", "`))
	}
	if k.defText != "" {
		return k.defText
	}
	return fmt.Sprintf("`%v`", k.def)
}

func docBounds(k key) string {
	var parts []string
	if len(k.words) > 0 && k.form != listen {
		parts = append(parts, "`"+strings.Join(k.words, "` `")+"`")
	}
	if k.bounded() && (k.form != texts || len(k.words) == 0) {
		parts = append(parts, k.bounds())
	}
	if k.unit != "" {
		parts = append(parts, k.unit)
	}
	return strings.Join(parts, " ")
}

// typeTable lists for each type of check the keys that have a meaning for it and not for all.
func typeTable() string {
	passes := map[Kind]string{
		HTTP: "the response has a status of `expect_status` and, if given, the wanted body", HTTPS: "as `http`, over TLS with a valid certificate",
		TCP:       "the connection opens and, if given, the reply to `send` contains `expect`",
		TLS:       "the handshake succeeds with a valid certificate",
		WebSocket: "the opening handshake succeeds and, if given, a message contains `expect`", DNS: "the reply is NOERROR with an answer",
		ICMP: "an echo reply comes back", Exec: "the command exits with 0", File: "the file's first word is `up` or `drain`; `drain` also asks for traffic to leave",
		Static: "`state` is `up`",
	}
	var b strings.Builder
	b.WriteString("| type | passes when | its own keys |\n|---|---|---|\n")
	for _, kind := range append(kindsProbed(), Static) {
		var own []string
		for _, k := range checkKeys() {
			if len(k.kinds) > 0 && slices.Contains(k.kinds, kind) && !slices.Equal(k.kinds, kindsProbed()) {
				own = append(own, "`"+k.name+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", kind, passes[kind], strings.Join(own, " "))
	}
	return b.String()
}

// TestDocsExamples loads every example of docs/configuration.md.
func TestDocsExamples(t *testing.T) {
	data, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)<!-- example: (\\w+) -->\n```toml\n(.*?)```").FindAllStringSubmatch(string(data), -1)
	if got := strings.Count(string(data), "```toml"); got != len(examples) || got < 5 {
		t.Errorf("%d of %d TOML blocks are examples", len(examples), got)
	}
	files := folderOf{"db.chat.example.com": "@ SOA ns1 hostmaster.example.com. 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n"}
	for _, example := range examples {
		name, content := example[1], example[2]
		switch name {
		case "config", "moderator", "cluster", "hook", "witness":
			_, problems := loadConfigText(t, content)
			wantLines(t, lines(problems), "")
			continue
		case "zonefile":
			_, problems := folderOf{"z.toml": content, "db.chat.example.com": files["db.chat.example.com"]}.validate(t)
			wantLines(t, problems, "")
			continue
		case "client":
			_, problems := folderOf{"z.toml": zoneHead + content, "db": ""}.validate(t)
			wantLines(t, problems, "")
			continue
		case "deployment":
			content = strings.Replace(content, "/usr/local/bin/start-chat", "/bin/true", 1)
			_, problems := folderOf{"z.toml": zoneHead + goodPool + content, "db": ""}.validate(t)
			wantLines(t, problems, "")
			continue
		case "check":
			_, problems := folderOf{"z.toml": strings.Replace(simpleZone("z"), "check = { type = \"icmp\" }\n", content, 1)}.validate(t)
			wantLines(t, problems, "")
			continue
		}
		files[name+".toml"] = content
	}
	set, problems := files.validate(t)
	wantLines(t, problems, "")
	if set.Pool("upload") == nil || set.Pool("chat") == nil || set.Pool("chat").Failback != Gated || set.Pool("chat").Sync.Host != "chat.example.com" {
		t.Error("the examples' pools are not loaded")
	}
}

// TestDocsKeyExamples loads the example of every single key.
func TestDocsKeyExamples(t *testing.T) {
	for name, keys := range documented() {
		for _, k := range keys {
			if k.keys != nil {
				continue
			}
			if k.example == "" || k.doc == "" {
				t.Errorf("%s.%s has no example or no words", name, k.name)
			}
			tryKey(t, name, k)
		}
	}
}

// tryKey loads the key's example in the smallest file it can stand in.
func tryKey(t *testing.T, name string, k key) {
	t.Helper()
	line := k.name + " = " + k.example + "\n"
	var problems []string
	switch name {
	case "config", "http", "moderator", "dns", "log", "checker", "cluster", "hook":
		switch name {
		case "config":
		case "cluster":
			line = clusterWith(k.name, line)
		case "hook":
			line = hookWith(k.name, line)
		case "moderator":
			line = moderatorWith(k.name, line)
		default:
			line = "[" + name + "]\n" + line
		}
		_, found := loadConfigText(t, line)
		problems = lines(found.Errors())
	default:
		head := "[zone]\nname = \"chat.example.com\"\n" + soaFor(k.name)
		switch {
		case name == "zone" && k.name != "name":
			head += line
		case name == "zone":
			head = strings.Replace(head, "name = \"chat.example.com\"\n", line, 1)
		}
		body := goodPool
		switch name {
		case "pool":
			body = poolWith(k.name, line)
		case "client":
			body = strings.Replace(goodPool, "[pool.chat.check]", "[pool.chat.client]\n"+line+"[pool.chat.check]", 1)
		case "deployment":
			body = deploymentWith(k.name, line)
		case "check":
			body = checkWith(t, k, line)
		}
		c := folderOf{"z.toml": head + body, "db.chat.example.com": "x A 192.0.2.1\n", "lead.toml": simpleZone("lead") + strings.ReplaceAll(poolText("chat", "chat"), "\"a\"", "\"primary\"")}.config(t)
		if name != "pool" || k.name != "follow" {
			if err := os.Remove(filepath.Join(c.Zones, "lead.toml")); err != nil {
				t.Fatal(err)
			}
		}
		_, found := Validate(c)
		for _, p := range found.Errors() {
			if !strings.HasSuffix(p.Message, "there is no such file") { // outside files, as an example names them
				problems = append(problems, p.String())
			}
		}
	}
	if len(problems) > 0 {
		t.Errorf("%s.%s: %s", name, k.name, strings.Join(problems, "\n"))
	}
}

// clusterWith is a [cluster] with a key of its own.
func clusterWith(name, line string) string {
	out := "[cluster]\n" + line
	for _, k := range clusterKeys() {
		if k.required && k.name != name {
			out += k.name + " = " + k.example + "\n"
		}
	}
	// This nameserver is not among its own peers.
	return strings.Replace(out, "192.0.2.53:7946", "192.0.2.54:7946", 1)
}

// moderatorWith is a [moderator] with a key of its own.
func moderatorWith(name, line string) string {
	out := "[moderator]\n" + line
	for _, k := range moderatorKeys() {
		if k.name != name {
			out += k.name + " = " + k.example + "\n"
		}
	}
	return out
}

// hookWith is a [[hook]] with a key of its own.
func hookWith(name, line string) string {
	out := "[[hook]]\n" + line
	if name != "name" {
		out += "name = \"x\"\n"
	}
	if name != "url" && name != "command" {
		out += "url = \"https://hooks.example.com/\"\n"
	}
	return out
}

// soaFor is what [zone] needs beside a key.
func soaFor(name string) string {
	out := ""
	if name != "contact" {
		out += "contact = \"h@example.com\"\n"
	}
	if name != "ns" && name != "records" {
		out += "ns = [\"ns.elsewhere.test.\"]\n"
	}
	switch name {
	case "ns":
		out += "records = [\"ns1 A 192.0.2.1\"]\n"
	case "records":
		out += "ns = [\"ns1\"]\n"
	}
	return out
}

func poolWith(name, line string) string {
	switch name {
	case "answers":
		return strings.Replace(goodPool, "answers = [\"@\", \"www\"]\n", line, 1)
	case "follow":
		return "[pool.chat2]\nanswers = [\"www\"]\n" + line + strings.NewReplacer("pool.chat", "pool.chat2", `"a"`, `"primary"`).Replace(goodPool[strings.Index(goodPool, "[[pool"):])
	case "failback_delay":
		line += "failback = \"delay\"\n"
	}
	return strings.Replace(goodPool, "[pool.chat.check]", line+"[pool.chat.check]", 1)
}

func deploymentWith(name, line string) string {
	switch name {
	case "name":
		return strings.Replace(goodPool, "name = \"b\"\n", line, 1)
	case "addresses":
		return strings.Replace(goodPool, "addresses = [\"192.0.2.20\"]\n", line, 1)
	case "probe_addresses":
		return strings.Replace(goodPool, "addresses = [\"192.0.2.20\"]\n", "addresses = [\"192.0.2.20\", \"2001:db8::20\"]\n"+line, 1)
	}
	if name == "start" {
		line += "cold = true\n"
	}
	return goodPool + line
}

func checkWith(t *testing.T, k key, line string) string {
	kind := HTTPS
	if len(k.kinds) > 0 && !slices.Contains(k.kinds, kind) {
		kind = k.kinds[0]
	}
	needed := map[Kind]string{TCP: "port = 1\n", DNS: "query = \"x\"\n", Exec: "command = [\"x\"]\n", File: "file = \"x\"\n", Static: "state = \"up\"\n", HTTPS: "host = \"x\"\n"}[kind]
	if strings.HasPrefix(needed, k.name+" ") {
		needed = ""
	}
	content := "type = \"" + string(kind) + "\"\n" + needed + line
	if k.name == "type" {
		content = line
	}
	out := strings.Replace(goodPool, "type = \"tcp\"\nport = 80\n", content, 1)
	if out == goodPool {
		t.Fatal("goodPool has no such check")
	}
	return out
}
