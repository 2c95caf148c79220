// Requests to token, introspection and revocation endpoints, most of them bad or odd, as a table that any authorization
// server can answer. A server is { issuer, endpoints, api, otherAPI, basic, post, neighbour, tokens }: two clients that
// authenticate by Basic and one by the body, each { id, secret }, and how to get a token.

const encoded = (text) => encodeURIComponent(text).replaceAll('%20', '+');
const everyByte = (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
const basic64 = (text) => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;
const basic = ({ id, secret }) => basic64(`${encoded(id)}:${encoded(secret)}`);
const wrong = (secret) => secret.slice(0, -1) + (secret.endsWith('a') ? 'b' : 'a');

/** Pairs as a form, each value encoded. */
const form = (pairs) => pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');

const read = 'core.invoice.read';
const write = 'core.invoice.write';
const grant = ['grant_type', 'client_credentials'];

/** What a row says of its request, with what it leaves out. Every value may be a function of the server. */
const defaults = {
  at: 'token', method: 'POST', query: '', body: '',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  authorization: (server) => [basic(server.basic)], // a list, as there may be several headers
};

const valueOf = async (part, server) => (typeof part === 'function' ? part(server) : part);
const withForm = (pairs, more = {}) => ({ body: async (server) => form(await valueOf(pairs, server)), ...more });
const asking = (pairs = [], more = {}) => withForm(async (server) => [grant, ...await valueOf(pairs, server)], more);
const inBody = (pairs) => asking((server) => [...pairs(server), ['scope', read]], { authorization: [] });
const typed = (type) => ({ 'content-type': type });
const header = (value) => asking([['scope', read]], { authorization: (server) => [typeof value === 'function' ? value(server) : value] });

const tokens = {
  'a token, authenticated by Basic': asking([['scope', read]]),
  'a token, authenticated in the body': inBody(({ post }) => [['client_id', post.id], ['client_secret', post.secret]]),
  'every byte of ID and secret percent-encoded': header(({ basic: { id, secret } }) => basic64(`${everyByte(id)}:${everyByte(secret)}`)),
  'ID and secret encoded twice': header(({ basic: { id, secret } }) => basic64(`${everyByte(everyByte(id))}:${everyByte(everyByte(secret))}`)),
  'the scheme in small letters': header((server) => basic(server.basic).replace('Basic', 'basic')),
  'the same client_id beside Basic': asking(({ basic: { id } }) => [['client_id', id], ['scope', read]]),
  'another client_id beside Basic': asking(({ neighbour: { id } }) => [['client_id', id], ['scope', read]]),
  'a parameter that nobody knows': asking([['scope', read], ['unheard_of', 'x']]),
  'no authentication at all': asking([['scope', read]], { authorization: [] }),
  'the client_id alone': inBody(({ post: { id } }) => [['client_id', id]]),
  'the secret without a client_id': inBody(({ post: { secret } }) => [['client_secret', secret]]),
  'a wrong secret in Basic': header(({ basic: { id, secret } }) => basic({ id, secret: wrong(secret) })),
  'a wrong secret in the body': inBody(({ post: { id, secret } }) => [['client_id', id], ['client_secret', wrong(secret)]]),
  'an empty secret in Basic': header(({ basic: { id } }) => basic({ id, secret: '' })),
  'the secret with one byte more': header(({ basic: { id, secret } }) => basic({ id, secret: `${secret}x` })),
  'the secret, NUL and more': header(({ basic: { id, secret } }) => basic({ id, secret: `${secret}\0x` })),
  "another client's secret": header(({ basic: { id }, neighbour: { secret } }) => basic({ id, secret })),
  'an unknown client in Basic': header(({ basic: { secret } }) => basic({ id: 'CCWACME_22222222222222222222', secret })),
  'an unknown client in the body': inBody(({ post: { secret } }) => [['client_id', 'CCWACME_22222222222222222222'], ['client_secret', secret]]),
  'the way of authenticating that was not registered': inBody(({ basic: { id, secret } }) => [['client_id', id], ['client_secret', secret]]),
  'Basic and the secret in the body': asking(({ basic: { id, secret } }) => [['client_id', id], ['client_secret', secret], ['scope', read]]),
  'two Authorization headers': asking([['scope', read]], { authorization: (server) => [basic(server.basic), basic(server.neighbour)] }),
  'Basic that is no base64': header('Basic !!!!'),
  'Basic without a colon': header(({ basic: { id } }) => basic64(id)),
  'Basic with a bad escape': header(({ basic: { id, secret } }) => basic64(`${id}:${secret}%zz`)),
  'Basic with nothing behind it': header('Basic'),
  'a Bearer token in place of Basic': header('Bearer abc'),
  'a scheme that nobody knows': header('Digest username="x"'),
  'an assertion that is none': inBody(({ post: { id } }) => [
    ['client_id', id], ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'], ['client_assertion', 'a.b.c']]),
  'Basic and an assertion': asking([
    ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'], ['client_assertion', 'a.b.c'], ['scope', read]]),
  'the secret in the query': asking([['scope', read]], {
    authorization: [], query: ({ post: { id, secret } }) => form([['client_id', id], ['client_secret', secret]]),
  }),
  'the secret in query and header': asking([['scope', read]], { query: ({ basic: { secret } }) => form([['client_secret', secret]]) }),
  'the scope in the query': asking([], { query: form([['scope', read]]) }),
  'the grant_type in the query': withForm([['scope', read]], { query: form([grant]) }),

  'no grant_type': withForm([['scope', read]]),
  'an empty grant_type': withForm([['grant_type', ''], ['scope', read]]),
  'a grant_type that nobody knows': withForm([['grant_type', 'foo']]),
  'the grant_type in capitals': withForm([['grant_type', 'CLIENT_CREDENTIALS']]),
  'the grant password': withForm([['grant_type', 'password'], ['username', 'a'], ['password', 'b']]),
  'the grant authorization_code': withForm([['grant_type', 'authorization_code'], ['code', 'x'], ['redirect_uri', 'https://x.example/']]),
  'the grant refresh_token': withForm([['grant_type', 'refresh_token'], ['refresh_token', 'x']]),
  'grant_type twice, the same': withForm([grant, grant, ['scope', read]]),
  'grant_type twice, different': withForm([grant, ['grant_type', 'password'], ['scope', read]]),

  'no scope': asking(),
  'an empty scope': asking([['scope', '']]),
  'a scope twice in the list': asking([['scope', `${read} ${read}`]]),
  'two scopes, not in the order of the catalogue': asking([['scope', `${write} ${read}`]]),
  'a scope that nobody knows': asking([['scope', `${read} nothing.of.that`]]),
  'a scope that the client does not hold': asking([['scope', 'core.supplier.write']]),
  'a scope beside one that the client does not hold': asking([['scope', `${read} core.supplier.write`]]),
  'a quotation mark in the scope': asking([['scope', `${read}"`]]),
  'NUL in the scope': asking([['scope', `${read}\0`]]),
  'two spaces between scopes': asking([['scope', `${read}  ${write}`]]),
  'a space before the scope': asking([['scope', ` ${read}`]]),
  'scope as two parameters': asking([['scope', read], ['scope', write]]),
  'scope as two parameters, one empty': asking([['scope', read], ['scope', '']]),

  'a resource': asking(({ api }) => [['scope', read], ['resource', api]]),
  'the same resource twice': asking(({ api }) => [['scope', read], ['resource', api], ['resource', api]]),
  'two resources': asking(({ api, otherAPI }) => [['scope', read], ['resource', api], ['resource', otherAPI]]),
  'a resource that nobody knows': asking([['resource', 'https://elsewhere.example/']]),
  'a relative resource': asking([['resource', '/apis/coupa-core']]),
  'a resource with a fragment': asking(({ api }) => [['resource', `${api}#x`]]),
  "a resource and another API's scope": asking(({ otherAPI }) => [['scope', read], ['resource', otherAPI]]),
  'a resource and no scope': asking(({ api }) => [['resource', api]]),

  'a body of JSON': {
    headers: typed('application/json'), body: JSON.stringify({ grant_type: 'client_credentials', scope: read }),
  },
  'a body of multipart': { headers: typed('multipart/form-data; boundary=x'), body: '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--' },
  'a body without a Content-Type': asking([['scope', read]], { headers: {} }),
  'the charset UTF-8': asking([['scope', read]], { headers: typed('application/x-www-form-urlencoded; charset=UTF-8') }),
  'the charset UTF-16': asking([['scope', read]], { headers: typed('application/x-www-form-urlencoded; charset=UTF-16') }),
  'no body': {},
  'a body of 70 KiB': asking([['scope', read], ['padding', 'x'.repeat(70 << 10)]]),
  '150 parameters': asking(() => [['scope', read], ...Array.from({ length: 150 }, (_, i) => [`p${i}`, 'x'])]),
  'a Content-Encoding': asking([['scope', read]], { headers: { ...defaults.headers, 'content-encoding': 'gzip' } }),
  'an escape that is none': { body: `grant_type=client_credentials&scope=${read}&x=%zz` },
  'bytes that are no UTF-8': { body: `grant_type=client_credentials&scope=${read}&x=%ff` },
  'semicolons between parameters': { body: `grant_type=client_credentials;scope=${read}` },

  'GET at the token endpoint': { method: 'GET', query: form([grant, ['scope', read]]) },
  'PUT at the token endpoint': asking([['scope', read]], { method: 'PUT' }),
  'OPTIONS at the token endpoint': { method: 'OPTIONS', authorization: [], headers: {} },
};

const own = (server) => server.token(server.basic);
const looking = (pairs, more = {}) => withForm(pairs, { at: 'introspect', ...more });

const introspections = {
  'looking at an own token': looking(async (server) => [['token', await own(server)]]),
  'looking at an own token with another hint': looking(async (server) => [['token', await own(server)], ['token_type_hint', 'refresh_token']]),
  'looking at an own token with a hint that nobody knows': looking(async (server) => [['token', await own(server)], ['token_type_hint', 'x']]),
  "looking at another client's token": looking(async (server) => [['token', await server.token(server.neighbour)]]),
  'looking at what is no token': looking([['token', 'nothing']]),
  'looking at nothing': looking([]),
  'looking at an empty token': looking([['token', '']]),
  'looking at two tokens': looking([['token', 'a'], ['token', 'b']]),
  'looking without authentication': looking(async (server) => [['token', await own(server)]], { authorization: [] }),
  'looking with the token itself': looking(async (server) => [['token', await own(server)]], { authorization: async (server) => [`Bearer ${await own(server)}`] }),
  'looking with a wrong secret': looking([['token', 'x']], { authorization: ({ basic: { id, secret } }) => [basic({ id, secret: wrong(secret) })] }),
  'looking with the token in the query': looking([], { query: 'token=x' }),
  'looking by GET': { at: 'introspect', method: 'GET', query: 'token=x' },
  'looking with a body of JSON': { at: 'introspect', headers: typed('application/json'), body: '{"token":"x"}' },
};

const ending = (pairs, more = {}) => withForm(pairs, { at: 'revoke', ...more });

const revocations = {
  'ending an own token': ending(async (server) => [['token', await own(server)]]),
  'ending an own token with another hint': ending(async (server) => [['token', await own(server)], ['token_type_hint', 'refresh_token']]),
  "ending another client's token": ending(async (server) => [['token', await server.token(server.neighbour)]]),
  'ending what is no token': ending([['token', 'nothing']]),
  'ending nothing': ending([]),
  'ending two tokens': ending([['token', 'a'], ['token', 'b']]),
  'ending without authentication': ending([['token', 'x']], { authorization: [] }),
  'ending with a wrong secret': ending([['token', 'x']], { authorization: ({ basic: { id, secret } }) => [basic({ id, secret: wrong(secret) })] }),
  'ending with the token in the query': ending([], { query: 'token=x' }),
  'ending by GET': { at: 'revoke', method: 'GET', query: 'token=x' },
};

/** Every request by its name, in the order of the table. */
export const oddRequests = Object.entries({ ...tokens, ...introspections, ...revocations }).map(([name, row]) => ({ name, ...defaults, ...row }));

/** The request as it is sent to a server: address, method, headers as pairs, body. */
export async function requestTo(server, row) {
  const [query, body, headers, authorization] = await Promise.all(
    [row.query, row.body, row.headers, row.authorization].map((part) => valueOf(part, server)));
  return {
    url: `${server.endpoints[row.at]}${query && '?'}${query}`, method: row.method, body,
    headers: { ...headers, ...(authorization.length > 0 && { authorization }) },
  };
}
