package web

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
	"github.com/dinrail/dinrail/sdk/expr"
)

// Answer is what the system answered to a call.
type Answer struct {
	status  int
	headers map[string]any // by names in lower case
	link    []string
	body    any
	text    []byte // UTF-8
	url     *url.URL
	at      time.Time // by the system's clock, where it tells
	cookies []*http.Cookie
}

// given are the roots that expressions over an answer have.
func (a *Answer) given() definition.Given {
	return definition.Given{"status": number(a.status), "headers": a.headers, "body": a.body}
}

// answer reads an answer, and turns one that is an error into a failure.
func (c *client) answer(r *Request, u *url.URL, res *http.Response, text []byte) (*Answer, error) {
	a := &Answer{status: res.StatusCode, headers: map[string]any{}, link: res.Header.Values("Link"), url: u, cookies: res.Cookies()}
	for k := range res.Header {
		a.headers[strings.ToLower(k)] = res.Header.Get(k)
	}
	if t, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		a.at = t
	}
	readErr := c.decode(a, r, res.Header.Get("Content-Type"), text)
	if readErr == nil && c.protocol.Unwrap != nil {
		a.body, readErr = c.protocol.Unwrap(a.body)
		if f, ok := errors.AsType[*sdk.Failure](readErr); ok {
			a.body = nil
			return nil, c.fault(r, a, res.Header, f)
		}
	}
	if err := c.fault(r, a, res.Header, nil); err != nil {
		return nil, err
	}
	return a, readErr
}

// decode reads the body, whatever its charset.
func (c *client) decode(a *Answer, r *Request, contentType string, text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	kind, parameters, _ := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	if charset == "" && c.system.Request.Answer == "xml" {
		charset = declared(text)
	}
	if charset == "" {
		charset = c.system.Request.Charset
	}
	wrong := func(format string, args ...any) error {
		return sdk.Failf(sdk.CodeInternal, "the answer of %s to %s %s %s", c.system.Label, r.Method, r.Template, fmt.Sprintf(format, args...))
	}
	if charset != "" && !strings.EqualFold(charset, "utf-8") {
		e, err := htmlindex.Get(charset)
		if err != nil {
			return wrong("is in the charset %q, which nobody knows", charset)
		}
		if text, err = e.NewDecoder().Bytes(text); err != nil {
			return wrong("is not in the charset %q that it says", charset)
		}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		return wrong("is not UTF-8; say its charset in request")
	}
	a.text = text
	start := bytes.TrimSpace(text)
	if c.system.Request.Answer == "xml" {
		if kind == "text/html" {
			return wrong("is a page of HTML where XML was expected%s; is the URL right?", title(text))
		}
		body, err := decodeXML(text)
		if err != nil {
			return wrong("is not well-formed XML: %s", err)
		}
		a.body = body
		return nil
	}
	if start[0] == '<' {
		return wrong("is a page of HTML where JSON was expected%s; is the URL right?", title(text))
	}
	body, err := definition.Decode(text)
	if err != nil {
		return wrong("is not JSON: %s", err)
	}
	a.body = body
	return nil
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.{1,200}?)</title>`)

// title is what a page of HTML calls itself.
func title(text []byte) string {
	if m := titlePattern.FindSubmatch(text); m != nil {
		return fmt.Sprintf(" (%q)", strings.Join(strings.Fields(string(m[1])), " "))
	}
	return ""
}

// byStatus are the codes of statuses that no rule names.
var byStatus = map[int]sdk.Code{
	400: sdk.CodeInvalid, 401: sdk.CodeAuthRequired, 403: sdk.CodePermissionDenied, 404: sdk.CodeNotFound, 405: sdk.CodeUnsupported,
	408: sdk.CodeUnavailable, 409: sdk.CodeConflict, 410: sdk.CodeNotFound, 412: sdk.CodeConflict, 415: sdk.CodeInvalid, 422: sdk.CodeInvalid,
	428: sdk.CodeConflict, 429: sdk.CodeRateLimited,
}

// fault says what an answer means that is none; nil where it is one. inside is
// what the protocol found in an answer that looks well.
func (c *client) fault(r *Request, a *Answer, headers http.Header, inside *sdk.Failure) error {
	given := a.given()
	found, text := sdk.Code(""), ""
	if inside != nil {
		found, text = inside.Code, inside.Message
	}
	for _, rule := range c.system.Errors {
		if rule.When == nil {
			continue
		}
		if applies, err := rule.When.Holds(given); err != nil || !applies {
			continue // what cannot be asked of an answer does not hold
		}
		found = sdk.Code(rule.Code)
		if found == "" {
			found = statusCode(a.status)
		}
		text = wordsOf(rule, given)
		break
	}
	expired := false
	if l := c.auth.Login; l != nil && l.Expired != nil {
		expired, _ = l.Expired.Holds(given) // as above
	}
	if found == "" && a.status < 400 && !expired {
		return nil
	}
	for _, rule := range c.system.Errors {
		if rule.When != nil {
			continue
		}
		if found == "" {
			found = sdk.Code(rule.Code)
		}
		if text == "" {
			text = wordsOf(rule, given)
		}
	}
	if found == "" {
		found = statusCode(a.status)
	}
	if text == "" {
		text = common(a.body)
	}
	message := fmt.Sprintf("%s answers %s %s with %d %s", c.system.Label, r.Method, r.Template, a.status, http.StatusText(a.status))
	if text != "" {
		message = fmt.Sprintf("%s: %s", message, text)
	}
	if found == sdk.CodeAuthRequired || expired {
		found = sdk.CodeAuthRequired
		return errors.Join(errSession, &sdk.Failure{Code: found, Message: message})
	}
	f := &sdk.Failure{Code: found, Message: message}
	if found == sdk.CodeRateLimited || found == sdk.CodeUnavailable {
		f.RetryAt = sdk.RetryAfter(headers, time.Now())
	}
	return f
}

// wordsOf is a rule's message for an answer; "" where it has none.
func wordsOf(rule definition.ErrorRule, given definition.Given) string {
	v, err := rule.Message.Value(given)
	if err != nil {
		return ""
	}
	return oneLine(v)
}

func statusCode(status int) sdk.Code {
	switch code := byStatus[status]; {
	case code != "":
		return code
	case status >= 500:
		return sdk.CodeUnavailable
	case status >= 400:
		return sdk.CodeInvalid
	default:
		return sdk.CodeInternal
	}
}

// common finds an error's words where systems often put them.
func common(body any) string {
	m, ok := body.(map[string]any)
	if !ok {
		text, _ := body.(string)
		return oneLine(text)
	}
	for _, key := range []string{"error_description", "message", "detail", "error", "title", "errors", "errorMessage", "text"} {
		switch v := m[key].(type) {
		case string:
			return oneLine(v)
		case map[string]any:
			if text := common(v); text != "" {
				return text
			}
		case []any:
			for _, x := range v {
				if text := common(x); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// oneLine is a value as words of bounded length.
func oneLine(v any) string {
	text, ok := expr.TextOf(v)
	if !ok {
		if v == nil {
			return ""
		}
		text = string(expr.AppendJSON(nil, v))
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
