// A machine's side of the contract, over plain HTTP: token, own record, introspection.
import { run } from './fixtures.js';

const form = (fields) => new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined));

export const basic = ({ clientID, secret }) => (
  `Basic ${Buffer.from(`${encodeURIComponent(clientID)}:${encodeURIComponent(secret)}`).toString('base64')}`);

async function post(path, app, fields) {
  const answer = await fetch(run().url + path, {
    method: 'POST', headers: { authorization: basic(app) }, body: form(fields),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text && JSON.parse(text) };
}

/** Asks for a token with HTTP Basic. app is { clientID, secret }. */
export const requestToken = (app, scope) => post('/oauth2/token', app, { grant_type: 'client_credentials', scope });

/** Gets a token or fails. */
export async function token(app, scope) {
  const answer = await requestToken(app, scope);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.access_token;
}

export const introspect = async (app, accessToken) => (await post('/oauth2/introspect', app, { token: accessToken })).body;

/** Asks for the app's own record with a token. */
export async function self(accessToken) {
  const answer = await fetch(`${run().url}/api/v1/apps/self`, { headers: { authorization: `Bearer ${accessToken}` } });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}
