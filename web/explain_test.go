package web

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	s, set := sample(t), sampleSet(t)
	for name, want := range map[string]struct {
		source Source
		owner  string
		says   string
	}{
		"chat.example":           {FromPool, "chat.example.", "come from pool chat"},
		"WWW.chat.example.":      {FromPool, "www.chat.example.", "come from pool chat"},
		"x.y.eu.chat.example":    {FromPool, "*.eu.chat.example.", "the wildcard *.eu.chat.example. stands for it"},
		"ws.chat.example":        {FromPool, "ws.chat.example.", "follows pool chat, which answers from [redundant]\nprimary is down since"},
		"ns1.chat.example":       {FromRecords, "ns1.chat.example.", "1 record stands"},
		"b.chat.example":         {FromNothing, "", "NODATA"},
		"eu.chat.example":        {FromNothing, "", "NODATA"},
		"c.b.chat.example":       {FromNothing, "", "NXDOMAIN"},
		"any.chat.example":       {FromRecords, "*.chat.example.", "the wildcard *.chat.example. stands for it"},
		"sub.chat.example":       {FromDelegation, "sub.chat.example.", "referral"},
		"deep.sub.chat.example":  {FromDelegation, "sub.chat.example.", "referral"},
		"old.chat.example":       {FromRecords, "old.chat.example.", "1 record stands"},
		"below.old.chat.example": {FromDNAME, "old.chat.example.", "below.new.example. lies in no zone served here"},
		"alias.chat.example":     {FromPool, "www.chat.example.", "it is an alias of www.chat.example.\nzone chat.example. contains www.chat.example."},
		"x.moved.chat.example":   {FromPool, "*.eu.chat.example.", "the name is an alias of x.eu.chat.example."},
		"one.chat.example":       {FromRecords, "two.chat.example.", "a response holds 5 aliases"},
		"static.example":         {FromRecords, "static.example.", "last good version"},
		"elsewhere.test":         {NotServed, "", "REFUSED"},
		"notchat.example":        {NotServed, "", "REFUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := s.Explain(set, name)
			if err != nil {
				t.Fatal(err)
			}
			if e.Source != want.source || e.Owner != want.owner || !strings.Contains(strings.Join(e.Steps, "\n"), want.says) {
				t.Errorf("%+v; want %+v", e, want)
			}
		})
	}
	if _, err := s.Explain(set, strings.Repeat("a", 64)+".example"); err == nil {
		t.Error("a label of 64 bytes is a name")
	}
}
