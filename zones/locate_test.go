package zones

import (
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/livens/livens/internal/suggest"
)

func TestLocatorFindsEveryLine(t *testing.T) {
	const document = "# comment with [brackets] and \"quotes\n" + // 1
		"name = \"ns1\" # [not a table]\n" + // 2
		"[pool.chat]\n" + // 3
		"answers = [\n" + // 4
		"  \"@\", # the apex ] }\n" + // 5
		"  'w]ww',\n" + // 6
		"]\n" + // 7
		"check = { type = \"tcp\", \"po rt\" = 1,\n" + // 8
		"  headers = { a.b = '''x\n" + // 9
		"]]\n" + // 10
		"y''''' } }\n" + // 11
		"text = \"\"\"first\\\n" + // 12
		"  \\\"\"\" second\n" + // 13
		"\"\"\"\n" + // 14
		"when = 1979-05-27 07:32:00\n" + // 15
		"[[pool.chat.deployment]]\n" + // 16
		"name = \"a\"\n" + // 17
		"[[pool.chat.deployment]]\r\n" + // 18
		"name = \"b\"\r\n" + // 19
		"[pool.chat.deployment.inner]\n" + // 20
		"\"\\u0061b\".c = [[1, 2], [\n" + // 21
		"3]]\n" + // 22
		"[late.inner]\n" + // 23
		"[late]\n" // 24
	var decoded map[string]any
	if _, err := toml.Decode(document, &decoded); err != nil {
		t.Fatal(err)
	}
	root, excess, _ := locate(document)
	if excess != "" {
		t.Fatal(excess)
	}
	chat := root.key("pool").key("chat")
	for name, check := range map[string]struct {
		at   *node
		want int
	}{
		"name":                             {root.key("name"), 2},
		"table":                            {chat, 3},
		"array":                            {chat.key("answers"), 4},
		"first element":                    {chat.key("answers").elem(0), 5},
		"second element":                   {chat.key("answers").elem(1), 6},
		"inline table":                     {chat.key("check").key("type"), 8},
		"quoted key":                       {chat.key("check").key("po rt"), 8},
		"dotted in inline":                 {chat.key("check").key("headers").key("a").key("b"), 9},
		"multi-line string":                {chat.key("text"), 12},
		"after it":                         {chat.key("when"), 15},
		"first table":                      {chat.key("deployment").elem(0).key("name"), 17},
		"second table":                     {chat.key("deployment").elem(1), 18},
		"its key":                          {chat.key("deployment").elem(1).key("name"), 19},
		"table inside it":                  {chat.key("deployment").elem(1).key("inner"), 20},
		"escaped key":                      {chat.key("deployment").elem(1).key("inner").key("ab").key("c"), 21},
		"table opened after its inner one": {root.key("late"), 24},
		"nested element":                   {chat.key("deployment").elem(1).key("inner").key("ab").key("c").elem(1).elem(0), 22},
	} {
		if got := check.at.at(); got != check.want {
			t.Errorf("%s: line %d, want %d", name, got, check.want)
		}
	}
	mirrors(t, decoded, root, "")
}

// mirrors fails unless at knows a line for every key and element of value.
func mirrors(t *testing.T, value any, at *node, path string) {
	t.Helper()
	if at == nil || at.line == 0 && path != "" {
		t.Fatalf("%s has no line", path)
	}
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			mirrors(t, inner, at.key(name), path+"."+name)
		}
	case []map[string]any:
		for i, inner := range v {
			mirrors(t, inner, at.elem(i), path+"[]")
		}
	case []any:
		for i, inner := range v {
			mirrors(t, inner, at.elem(i), path+"[]")
		}
	}
}

func TestSuggestFindsTheNearestWord(t *testing.T) {
	words := []string{"interval", "fast_interval", "timeout", "fall", "rise"}
	for written, want := range map[string]string{
		"intervall": "interval", "intreval": "interval", "fastinterval": "fast_interval", "timout": "timeout",
		"fal": "fall", "raise": "rise", "zebra": "", "": "", "x": "",
	} {
		hint := ""
		if want != "" {
			hint = `did you mean "` + want + `"?`
		}
		if got := suggest.Nearest(written, words); got != hint {
			t.Errorf("%q: %q, want %q", written, got, hint)
		}
	}
}
