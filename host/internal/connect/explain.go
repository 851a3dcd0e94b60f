package connect

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dinrail/dinrail/host"
)

// explain tells a person what was wrong with a login: beside its field where
// it belongs to one.
func explain(p *plan, err error, late bool) (faults []host.Fault, problem string) {
	words := sentence(host.MessageOf(err))
	if path := pathOf(err); path != "" {
		if f, ok := p.field(path); ok {
			return []host.Fault{{Path: f, Message: words}}, ""
		}
	}
	switch code := host.CodeOf(err); {
	case late:
		return p.atAddress("There was no answer in time. Is the address right, and can the system be reached from here?")
	case code == host.CodeAuthRequired:
		return p.atLogin(words)
	case code == host.CodeUnavailable || code == host.CodeAddressRefused:
		return p.atAddress(words)
	case code == host.CodePermissionDenied:
		return nil, words + " The guide tells which rights it needs."
	case code == host.CodeRateLimited:
		return nil, "The system takes no more logins for now. " + words
	case code == host.CodeInternal && told(err):
		return p.atAddress("What answers at this address was not understood. Is it the address of " + p.system.Label + "?")
	case code == host.CodeInternal || code == host.CodePluginCrashed || code == host.CodeOutOfMemory:
		return nil, "The login could not be tried: something is wrong on our side, not with what you typed. Try again; if it stays so, tell whoever sent you this link."
	}
	return nil, words
}

// told says whether a connector told what happened, so that it is about the
// system and no mistake of ours. Its words are for operators, and in the log.
func told(err error) bool {
	_, ok := errors.AsType[*host.Error](err)
	return ok
}

// atLogin puts words beside the field that is most likely wrong: the last
// secret one.
func (p *plan) atLogin(words string) ([]host.Fault, string) {
	if p.method != nil {
		for i := len(p.method.Fields) - 1; i >= 0; i-- {
			if p.method.Fields[i].Secret {
				return []host.Fault{{Path: "credentials." + p.method.Fields[i].Name, Message: words}}, ""
			}
		}
	}
	return nil, words
}

// atAddress puts words beside the first setting that is a URL.
func (p *plan) atAddress(words string) ([]host.Fault, string) {
	for _, d := range p.system.Settings {
		if d.Type == "url" || d.Name == "url" {
			return []host.Fault{{Path: "settings." + d.Name, Message: words}}, ""
		}
	}
	return nil, words
}

// field finds the field that a path of a connector's names.
func (p *plan) field(path string) (string, bool) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if !strings.HasPrefix(path, "credentials.") {
		for _, d := range p.system.Settings {
			if d.Name == name {
				return "settings." + name, true
			}
		}
	}
	if p.method != nil {
		for _, f := range p.method.Fields {
			if f.Name == name {
				return "credentials." + name, true
			}
		}
	}
	return "", false
}

func pathOf(err error) string {
	if e, ok := errors.AsType[*host.Error](err); ok {
		return e.Path
	}
	return ""
}

// sentence makes a message begin and end as a sentence.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return "It did not work, and the system did not say why."
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.ContainsRune(".!?", rune(s[len(s)-1])) {
		s += "."
	}
	return s
}
