package web

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPageEscapesWhatOthersWrote(t *testing.T) {
	s, _ := sampleServer(t)
	body := get(t, s.shown, "GET", "/").Body.String()
	for _, raw := range []string{"<b>broken</b>", "<b>unknown</b>", "<i>refused</i>", "<script>disks"} {
		if strings.Contains(body, raw) {
			t.Errorf("%s stands unescaped in the page", raw)
		}
	}
	for _, want := range []string{"connect: &lt;i&gt;refused", "<strong>redundant</strong> answers", "drained by alice", "deployment-down", "10.0.0.20", "1795000000",
		"ns3 says otherwise: primary (epoch 1), for 3 s", "ns2 up; ns1 down (connect: &lt;i&gt;refused", "3 of 5 observers reached · ns1 tells hooks",
		"cut off <small>1 min 30 s</small>", "never heard", "witness; livens v1.3.0; clock 3 s ahead", "planned failover to primary by carol from",
		"not yet: chatops", "primary → redundant"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page says nothing of %q", want)
		}
	}
}

func TestPolicyAllowsThePagesOwnScriptAndStyle(t *testing.T) {
	s, _ := sampleServer(t)
	w := get(t, s.shown, "GET", "/")
	policy := w.Header().Get("Content-Security-Policy")
	for _, tag := range []string{"style", "script"} {
		inner := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(w.Body.String(), -1)
		if len(inner) != 1 {
			t.Fatalf("%d %s elements", len(inner), tag)
		}
		if !strings.Contains(policy, tag+"-src 'sha256-"+digest(inner[0][1])+"'") {
			t.Errorf("the policy %q does not allow the page's %s", policy, tag)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
}

func TestPageNeedsNothingFromElsewhere(t *testing.T) {
	s, _ := sampleServer(t)
	body := get(t, s.shown, "GET", "/").Body.String()
	if found := regexp.MustCompile(`(?i)(src=|//[a-z]+\.|@import|url\()`).FindAllString(body, -1); len(found) > 0 {
		t.Errorf("outside resources: %q", found)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "0 s",
		-time.Second:                  "0 s",
		1500 * time.Microsecond:       "1.5 ms",
		12 * time.Millisecond:         "12 ms",
		59 * time.Second:              "59 s",
		2 * time.Minute:               "2 min",
		200 * time.Second:             "3 min 20 s",
		5*time.Hour + 2*time.Minute:   "5 h 2 min",
		12*24*time.Hour + 3*time.Hour: "12 d 3 h",
		24*time.Hour + 59*time.Minute: "1 d",
	} {
		if got := Age(d); got != want {
			t.Errorf("Age(%v) = %q, want %q", d, got, want)
		}
	}
}
