package zones

import (
	"encoding/json"
	"testing"
)

func TestProblemsAreAListInJSON(t *testing.T) {
	for want, ps := range map[string]Problems{
		`[]`: nil,
		`[{"warning":false,"file":"livens.toml","line":3,"key":"name","message":"is empty"}]`: {{File: "livens.toml", Line: 3, Key: "name", Message: "is empty"}},
	} {
		if got, err := json.Marshal(ps); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}
