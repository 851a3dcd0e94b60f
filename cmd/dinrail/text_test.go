package main

import (
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

func TestExportedTextIsNoTemplate(t *testing.T) {
	got := quote("a ${b} %{c} \"d\"\n")
	want := `"a $${b} %%{c} \"d\"\n"`
	if got != want {
		t.Errorf("quote = %s, want %s", got, want)
	}
}

func TestTextOfForeignSystemsDoesNotDriveTheTerminal(t *testing.T) {
	if got := oneLine("a\x1b[2Jb\nc\u009bd"); got != "a [2Jb c d" {
		t.Errorf("oneLine = %q", got)
	}
}
