// OAuth2 / OpenID Connect authorization server for connector tests: authorization code + PKCE, rotating refresh tokens,
// client credentials, short-lived access tokens, plus a protected /api/me resource that answers 401 when the token is old.
// Clients: connector-host (secret c0nnector-host-secret), connector-post, public-cli.
import { Provider } from 'oidc-provider'
const port = Number(process.env.PORT), issuer = `http://127.0.0.1:${port}`
const ttl = Number(process.env.ACCESS_TTL || 20), rttl = Number(process.env.REFRESH_TTL || 3600)
const redirect = (process.env.REDIRECT_URIS || 'http://127.0.0.1:8080/oauth/callback').split(',')
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'connector-host', client_secret: 'c0nnector-host-secret', grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], redirect_uris: redirect, response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic', scope: 'openid offline_access workorders:read workorders:write' },
    { client_id: 'connector-post', client_secret: 'c0nnector-post-secret', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: redirect, response_types: ['code'], token_endpoint_auth_method: 'client_secret_post', scope: 'openid offline_access workorders:read' },
    { client_id: 'public-cli', grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'], redirect_uris: redirect, response_types: ['code'], token_endpoint_auth_method: 'none', scope: 'openid offline_access workorders:read' },
  ],
  scopes: ['openid', 'offline_access', 'workorders:read', 'workorders:write'],
  ttl: { AccessToken: ttl, RefreshToken: rttl, ClientCredentials: ttl, AuthorizationCode: 60, Session: 3600, Grant: 86400, Interaction: 600, DeviceCode: 600 },
  rotateRefreshToken: true,                       // reuse of an old refresh token revokes the whole grant
  issueRefreshToken: async (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  pkce: { required: (ctx, client) => client.clientAuthMethod === 'none' },
  features: { clientCredentials: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true }, deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  cookies: { keys: ['lab-only-cookie-key'] },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: `${id}@plant.example` }) }),
})
let hits = 0
provider.use(async (ctx, next) => {
  if (ctx.path === '/healthz') { ctx.body = 'ok'; return }
  if (!ctx.path.startsWith('/api/')) return next()
  hits++
  const raw = /^Bearer (.+)$/.exec(ctx.get('authorization'))?.[1]
  const tok = raw && (await provider.AccessToken.find(raw) || await provider.ClientCredentials.find(raw))
  if (!tok || tok.isExpired) { ctx.status = 401; ctx.set('WWW-Authenticate', `Bearer error="invalid_token"`); ctx.body = { error: 'invalid_token' }; return }
  if (ctx.path === '/api/workorders' && !(tok.scope || '').split(' ').includes('workorders:read')) { ctx.status = 403; ctx.set('WWW-Authenticate', 'Bearer error="insufficient_scope", scope="workorders:read"'); ctx.body = { error: 'insufficient_scope' }; return }
  ctx.body = ctx.path === '/api/workorders' ? { items: [{ id: 'WO-1', status: 'open' }], hits } : { sub: tok.accountId || tok.clientId, scope: tok.scope, exp: tok.exp, hits }
})
provider.listen(port, '127.0.0.1', () => console.log('listening ' + issuer))
