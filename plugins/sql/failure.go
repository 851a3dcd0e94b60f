package main

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/dinrail/dinrail/sdk"
)

// unreachable says why the database could not be asked, where it was not the
// database itself that refused.
func unreachable(err error) error {
	if f, ok := errors.AsType[*sdk.Failure](err); ok {
		return f
	}
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var expired x509.CertificateInvalidError
	var network net.Error
	var dns *net.DNSError
	words := ""
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &authority):
		words = "the database's certificate is not from an authority that is trusted here; give its ca or fingerprint in a network block"
	case errors.As(err, &name):
		words = "the database's certificate is for another name"
	case errors.As(err, &expired):
		words = "the database's certificate is not valid: " + expired.Error()
	case strings.Contains(err.Error(), "refused TLS"), errors.Is(err, mysql.ErrNoTLS):
		words = `the database offers no encryption; the setting tls = "off" does without`
	case errors.As(err, &dns):
		words = "the host name " + dns.Name + " is not known"
	case strings.Contains(err.Error(), "connection refused"):
		words = "nobody answers at this address; is the database running, and is the port right?"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		words = "the database does not answer in time"
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		words = "the connection to the database broke off"
	default:
		return err
	}
	return &sdk.Failure{Code: sdk.CodeUnavailable, Message: words, Err: err}
}
