// Package oauth gets and keeps the access tokens of connections that log in by
// OAuth 2.0 (RFC 6749): by the grants authorization code with PKCE (RFC 7636),
// client credentials and password.
//
// It promises that a token is got once for all who wait for it; that it is got
// ahead of time while a connection is open, and brought into every open one;
// that a new refresh token is durable before it is used, and no refresh token
// is used by two at once; that a refused refresh asks for a person
// (host.CodeAuthRequired) and a network that is down does not; and that what
// fails backs off, each connection by itself.
//
// It refuses to know pages, connectors and engines.
package oauth
