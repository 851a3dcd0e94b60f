package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAddressesWithoutASchemeAreHTTPOnLoopbackOnly(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:7420":             "http://127.0.0.1:7420",
		"localhost:7420":             "http://localhost:7420",
		"[::1]:7420":                 "http://[::1]:7420",
		"dinrail.example.com":        "https://dinrail.example.com",
		"10.0.0.7:7420":              "https://10.0.0.7:7420",
		"http://10.0.0.7:7420/":      "http://10.0.0.7:7420",
		"https://example.com/rail/":  "https://example.com/rail",
		"localhost.example.com:7420": "https://localhost.example.com:7420",
	} {
		got, err := baseURL(addr)
		if err != nil || got != want {
			t.Errorf("baseURL(%q) = %q, %v; want %q", addr, got, err, want)
		}
	}
	for _, addr := range []string{"ftp://example.com", "http://", "::"} {
		if got, err := baseURL(addr); err == nil {
			t.Errorf("baseURL(%q) = %q, want an error", addr, got)
		}
	}
}

func TestTextOfForeignSystemsDoesNotDriveTheTerminal(t *testing.T) {
	if got := oneLine("a\x1b[2Jb\nc\u009bd"); got != "a [2Jb c d" {
		t.Errorf("oneLine = %q", got)
	}
	var out bytes.Buffer
	to := terminal{out: &out}
	if err := to.json(map[string]string{"a": "x\x1b[2J\x7f\u009bdä"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"a\": \"x\\u001b[2J\\u007f\\u009bdä\"\n}\n"; out.String() != want {
		t.Errorf("json = %q, want %q", out.String(), want)
	}
	out.Reset()
	if err := to.table([][]string{{"A", "B"}, {"x\ty\x1b]0;title\a", "z\r\u0085"}}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\r\t\u0085") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("table = %q", out.String())
	}
	if p := (&problem{Detail: "no\x1b[31m", Code: "not\x1bfound"}); strings.Contains(p.Error(), "\x1b") {
		t.Errorf("problem = %q", p.Error())
	}
	if d := (detail{Location: "a\x1b", Message: "b\x9b"}); strings.ContainsAny(d.String(), "\x1b") {
		t.Errorf("detail = %q", d.String())
	}
}
