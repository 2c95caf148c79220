// An authorization server of another house: oidc-provider, in memory, with the same clients, scopes and APIs as the one
// under test as far as it has such things.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const scopes = { 'coupa-core': 'core.invoice.read core.invoice.write core.supplier.write', ccw: 'ccw.candidates' };

const client = (name, method) => ({
  client_id: `foreign-${name}`, client_secret: randomBytes(32).toString('base64url'), grant_types: ['client_credentials'],
  response_types: [], redirect_uris: [], token_endpoint_auth_method: method, scope: 'core.invoice.read core.invoice.write',
});

/** Starts it; close ends it. The rest is what odd-requests.js asks of a server. */
export async function foreignServer() {
  const speak = silence();
  const { default: Provider, errors } = await import('oidc-provider');
  const http = createServer();
  await new Promise((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const api = (key) => `${issuer}/apis/${key}`;
  const clients = [client('basic', 'client_secret_basic'), client('post', 'client_secret_post'), client('neighbour', 'client_secret_basic')];
  const provider = new Provider(issuer, {
    clients, ttl: { ClientCredentials: 3600 }, scopes: Object.values(scopes).join(' ').split(' '),
    features: {
      clientCredentials: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => api('coupa-core'),
        getResourceServerInfo: (_, resource) => {
          const key = Object.keys(scopes).find((name) => api(name) === resource);
          if (!key) throw new errors.InvalidTarget();
          return { scope: scopes[key], audience: resource, accessTokenFormat: 'opaque', accessTokenTTL: 3600 };
        },
      },
    },
  });
  http.on('request', provider.callback());
  const [basic, post, neighbour] = clients.map(({ client_id: id, client_secret: secret }) => ({ id, secret }));
  return {
    issuer, basic, post, neighbour, api: api('coupa-core'), otherAPI: api('ccw'),
    endpoints: { token: `${issuer}/token`, introspect: `${issuer}/token/introspection`, revoke: `${issuer}/token/revocation` },
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => { http.close(resolve); });
      speak();
    },
  };
}

/** Silences what it writes to the console: that its settings are not for production, which is so. Returns the way back. */
function silence() {
  const kept = { info: console.info, warn: console.warn };
  Object.assign(console, { info: () => {}, warn: () => {} });
  return () => Object.assign(console, kept);
}
