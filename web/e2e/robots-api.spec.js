// The identity API as its documentation calls it: a group of three people, a robot account in it, from the command line's
// IDs to the answers, in both forms of the address.
import { expect, test } from '@playwright/test';
import { command, Server } from './server.js';

let server;
let organisation; // Acme
let token;

const list = async (what, ...args) => command(server, what, 'list', ...args, '--json');

/** Makes an app of Acme that acts as an API user and buys a token for the identity API. */
async function tokenFor(name, user, ...scopes) {
  const app = await command(server, 'app', 'create', '--org', 'acme', '--name', name, '--api-user', user,
    ...scopes.flatMap((scope) => ['--scope', scope]), '--json');
  const answer = await fetch(`${server.url}/oauth2/token`, {
    method: 'POST', headers: { Authorization: `Basic ${btoa(`${app.client_id}:${app.client_secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: scopes.join(' ') }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()).access_token;
}

async function call(method, path, body, bearer = token) {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: text && JSON.parse(text) };
}

test.beforeAll(async () => {
  server = await Server.start(() => ({ CREDENZA_API_RATES: 'identity.change=12' }));
  const organisations = await list('org');
  organisation = organisations.find((o) => o.short_name === 'acme').id;
  token = await tokenFor('Robot keeper', 'automation', 'PM.RobotAccount.Write', 'PM.RobotAccount.Read', 'PM.Group');
});

test.afterAll(() => server?.remove());

for (const root of ['/identity_/api', '/acme/DefaultTenant/identity_/api']) {
  test(`the example of a group with three people and a robot account in it, at ${root}`, async () => {
    const people = (await list('person', '--org', 'acme')).slice(0, 3);
    const name = `Invoice processing ${root.length}`;
    const group = await call('POST', `${root}/Group`, {
      partitionGlobalId: organisation, id: '', name, directoryUserMemberIDs: people.map((p) => p.id),
    });
    expect(group.status).toBe(201);
    expect(group.body).toMatchObject({ name, type: 'custom' });
    expect(group.body.members.map((m) => m.identifier).sort()).toEqual(people.map((p) => p.id).sort());
    expect(group.text).not.toContain('@acme.example');

    const robot = await call('POST', `${root}/RobotAccount`, {
      partitionGlobalId: organisation, id: '1', name: `robot-${root.length}`, displayName: 'Robot of invoices',
      groupIDsToAdd: [group.body.id], groupIDsToRemove: [],
    });
    expect(robot.status).toBe(201);
    expect(Object.keys(robot.body)).toEqual(['id', 'name', 'displayName', 'creationTime', 'lastLoginTime', 'groupIds']);
    expect(robot.body).toMatchObject({ displayName: 'Robot of invoices', lastLoginTime: null, groupIds: [group.body.id] });
    expect(robot.body.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(robot.body.creationTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);

    const seen = await call('GET', `${root}/Group/${organisation}/${group.body.id}`);
    expect(seen.body.members).toContainEqual({
      objectType: 'DirectoryRobotUser', source: 'local', identifier: robot.body.id, name: robot.body.name, displayName: 'Robot of invoices',
    });
    const found = await call('GET', `${root}/RobotAccount/${organisation}?searchTerm=ROBOT-${root.length}&top=5`);
    expect(found.body).toEqual({ totalCount: 1, results: [robot.body] });

    const changed = await call('PUT', `${root}/RobotAccount/${robot.body.id}`, {
      partitionGlobalId: organisation, displayName: 'Renamed', groupIDsToRemove: [group.body.id],
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ displayName: 'Renamed', groupIds: [] });
    const gone = await call('DELETE', `${root}/RobotAccount/${organisation}`, { robotAccountIDs: [robot.body.id] });
    expect(gone.status).toBe(204);
    expect((await call('DELETE', `${root}/Group/${organisation}/${group.body.id}`)).status).toBe(204);
  });
}

test('what is refused says why', async () => {
  const robots = '/identity_/api/RobotAccount';
  const reader = await tokenFor('Robot reader', 'automation', 'PM.RobotAccount.Read');
  const scope = await call('POST', robots, { partitionGlobalId: organisation, name: 'Nobody' }, reader);
  expect(scope.status).toBe(403);
  expect(scope.body).toMatchObject({
    error_code: 'E4030002', scopes_presented: ['PM.RobotAccount.Read'], scopes_needed: ['PM.RobotAccount', 'PM.RobotAccount.Write'],
  });
  const powerless = await tokenFor('Powerless', 'Client user', 'PM.RobotAccount');
  const right = await call('POST', robots, { partitionGlobalId: organisation, name: 'Nobody' }, powerless);
  expect(right).toMatchObject({ status: 403, body: { error_code: 'E4030001' } });

  const unknown = await call('POST', robots, { partitionGlobalId: organisation, name: 'Nobody', groupIDsToAdd: ['1'] });
  expect(unknown.status).toBe(400);
  expect(unknown.headers.get('content-type')).toBe('application/problem+json');
  expect(unknown.body.errors.groupIDsToAdd).toHaveLength(1);
  expect(unknown.body.traceId).toBe(unknown.headers.get('x-request-id'));

  const globex = (await list('org')).find((o) => o.short_name === 'globex').id;
  expect((await call('POST', robots, { partitionGlobalId: globex, name: 'Nobody' })).status).toBe(404);
  expect((await call('GET', `/globex/x${robots}/${organisation}`)).status).toBe(404);

  expect((await call('POST', robots, { partitionGlobalId: organisation, name: 'Twice' })).status).toBe(201);
  const twice = await call('POST', robots, { partitionGlobalId: organisation, name: 'TWICE' });
  expect(twice).toMatchObject({ status: 409, body: { code: 'conflict' } });
  const automation = (await call('GET', `${robots}/${organisation}?searchTerm=automation`)).body.results[0];
  const inUse = await call('DELETE', `${robots}/${organisation}/${automation.id}`);
  expect(inUse.status).toBe(409);
  expect(inUse.body.detail).toContain('Robot keeper');
});

test('an organisation that changes too much at once waits', async () => {
  let last;
  for (let i = 0; i < 13; i++) last = await call('PUT', '/identity_/api/Group/x', { partitionGlobalId: organisation });
  expect(last.status).toBe(429);
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(last.body.code).toBe('limited');
});
