package zones

import (
	"os"
	"path/filepath"
)

// CheckFiles says what is wrong with the files that c names: secrets, keys and programs. LoadConfig does not: these
// come and go without an edit, and a nameserver answers all the same.
func CheckFiles(c *Config) Problems {
	var out Problems
	check := func(key, file string, read func(file, shown string) *Problem) {
		if file == "" {
			return
		}
		shown := c.shown(file)
		p := read(file, shown)
		if p == nil {
			p = exposed(file, shown)
		}
		if p != nil {
			p.Key = key
			out = append(out, *p)
		}
	}
	check("dns.cookie_file", c.DNS.CookieFile, func(file, shown string) *Problem { _, p := readCookies(file, shown); return p })
	if c.Cluster != nil {
		check("cluster.key_file", c.Cluster.KeyFile, func(file, shown string) *Problem { _, p := readClusterKeys(file, shown); return p })
	}
	if m := c.Moderator; m != nil && m.CertFile != "" {
		out = append(out, m.check(c)...)
	}
	for _, h := range c.Hooks {
		check("hook."+h.Name+".secret_file", h.SecretFile, checkHookSecret)
		out = append(out, missing(c.programs(h))...)
	}
	return out
}

// exposed warns of a file of secrets that every user of this host may read.
func exposed(file, shown string) *Problem {
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return nil
	}
	return &Problem{Warning: true, File: shown, Message: "every user of this host may read it", Hint: "chmod 600, and give it to the user that livens runs as"}
}

// programs are the files that a hook's command cannot do without.
func (c *Config) programs(h HookConfig) []need {
	if len(h.Command) == 0 || !filepath.IsAbs(h.Command[0]) {
		return nil
	}
	return []need{{path: h.Command[0], executable: true, problem: Problem{File: filepath.Base(c.File), Key: "hook." + h.Name + ".command"}}}
}

// shown is a file as problems name it: relative to livens.toml's folder where it is inside.
func (c *Config) shown(file string) string {
	relative, err := filepath.Rel(filepath.Dir(c.File), file)
	if err != nil || !filepath.IsLocal(relative) {
		return file
	}
	return filepath.ToSlash(relative)
}
