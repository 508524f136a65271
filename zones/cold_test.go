package zones

import (
	"slices"
	"strings"
	"testing"
)

// coldPool is goodPool with lines added to its deployments, of which b's begin at 17 after one line in a.
func coldPool(a, b string) string {
	return strings.NewReplacer("name = \"a\"\n", "name = \"a\"\n"+a, "name = \"b\"\n", "name = \"b\"\n"+b).Replace(goodPool)
}

func TestColdDeployments(t *testing.T) {
	set, problems := folderOf{"z.toml": zoneHead + coldPool("cold = false\n", "cold = true\nstart = [\"systemctl\", \"start\", \"{deployment}\"]\n"), "db": ""}.validate(t)
	wantLines(t, problems, "")
	a, b := set.Pools[0].Deployments[0], set.Pools[0].Deployments[1]
	if a.Cold || a.Start != nil || !b.Cold || !slices.Equal(b.Start, []string{"systemctl", "start", "{deployment}"}) {
		t.Errorf("%+v %+v", a, b)
	}
	b.Start = append(b.Start, "{pool}:{address}")
	if got := b.StartCommand("chat"); !slices.Equal(got, []string{"systemctl", "start", "b", "chat:192.0.2.20"}) || b.Start[2] != "{deployment}" {
		t.Errorf("the command is %q, of %q", got, b.Start)
	}
	if a.StartCommand("chat") != nil {
		t.Error("nothing starts a")
	}
	for _, test := range []struct{ name, pool, want string }{
		{"started and not cold", coldPool("", "start = [\"x\"]\n"), `
			zones/z.toml:17: pool.chat.deployment.b.start: has no meaning for a deployment that is not cold (set cold = true, or remove it)`},
		{"types", coldPool("", "cold = \"yes\"\nstart = \"x\"\n"), `
			zones/z.toml:17: pool.chat.deployment.b.cold: wants a boolean, got a string (for example cold = true)
			zones/z.toml:18: pool.chat.deployment.b.start: wants a string list, got a string (for example start = ["/usr/local/bin/start-chat", "{deployment}"])`},
		{"a program that is nowhere", coldPool("", "cold = true\nstart = [\"/nowhere/x\"]\n"), `
			zones/z.toml:18: pool.chat.deployment.b.start: /nowhere/x: there is no such file`},
		{"a program relative to nothing", coldPool("", "cold = true\nstart = [\"bin/x\"]\n"), `
			zones/z.toml:18: pool.chat.deployment.b.start: "bin/x" is relative to nothing (give its whole path)`},
		{"a misspelt placeholder", coldPool("", "cold = true\nstart = [\"x\", \"{deploymnt}\"]\n"), `
			zones/z.toml:18: warning: pool.chat.deployment.b.start: {deploymnt} is sent as it is (did you mean "deployment"?)`},
		{"the first is cold", coldPool("cold = true\n", ""), `
			zones/z.toml:12: warning: pool.chat.deployment.a.cold: the first deployment is cold: whenever it is up, traffic goes there (the one that always runs comes first)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := folderOf{"z.toml": zoneHead + test.pool, "db": ""}.validate(t)
			wantLines(t, problems, test.want)
		})
	}
	follower := simpleZone("lead") + strings.Replace(followText("f", "f", "lead"), "name = \"b\"\n", "name = \"b\"\ncold = true\n", 1)
	_, problems = folderOf{"z.toml": follower}.validate(t)
	wantLines(t, problems, `
		zones/z.toml:20: pool.f.deployment.b.cold: has no meaning beside follow: the pool has no checks`)
}
