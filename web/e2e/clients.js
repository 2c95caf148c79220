// A machine's side of the contract, over plain HTTP: token and own record.
import { run } from './fixtures.js';

const basic = ({ clientID, secret }) => (
  `Basic ${Buffer.from(`${encodeURIComponent(clientID)}:${encodeURIComponent(secret)}`).toString('base64')}`);

/** Asks for a token with HTTP Basic. app is { clientID, secret }. */
export async function requestToken(app, scope) {
  const answer = await fetch(`${run().url}/oauth2/token`, {
    method: 'POST', headers: { authorization: basic(app) },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Gets a token or fails. */
export async function token(app, scope) {
  const answer = await requestToken(app, scope);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.access_token;
}

/** Asks for the app's own record with a token. */
export async function self(accessToken) {
  const answer = await fetch(`${run().url}/api/v1/apps/self`, { headers: { authorization: `Bearer ${accessToken}` } });
  return { status: answer.status, body: await answer.json() };
}
