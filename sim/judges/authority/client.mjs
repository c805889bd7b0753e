// A certified OpenID client goes through what the authority offers. It speaks in
// lines of JSON: {open: address} asks for a browser, whose last address comes
// back; {saw: …} reports; the last line is {done: true}.
import { createInterface } from 'node:readline'
import { createPrivateKey } from 'node:crypto'
import * as oidc from 'openid-client'

const { ISSUER, CLIENT, SECRET, KEY, TOOL, REDIRECT, SCOPE } = process.env
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n')
const browse = async (o) => {
  say(o)
  return new URL(JSON.parse((await lines.next()).value))
}

async function discover(id, auth) {
  const config = await oidc.discovery(new URL(ISSUER), id, undefined, auth)
  oidc.enableNonRepudiationChecks(config) // signatures, by the authority's own keys
  return config
}

// ask makes a sign-in request as the library's manual does.
async function ask(config, more = {}) {
  const verifier = oidc.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true }
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: 'openid profile offline_access ' + SCOPE, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more })
  return { checks, url: url.href }
}

async function refusal(f) {
  try {
    await f()
    return 'nothing'
  } catch (e) {
    return e.error ?? e.code ?? e.message
  }
}

async function codeFlow(config, how) {
  const { checks, url } = await ask(config)
  const landed = await browse({ open: url })
  const first = await oidc.authorizationCodeGrant(config, landed, checks)
  const second = await oidc.refreshTokenGrant(config, first.refresh_token, { scope: SCOPE + ' openid offline_access' })
  say({ saw: how, oid: first.claims().oid, sub: first.claims().sub === second.claims().sub, type: first.token_type,
    rotated: first.refresh_token !== second.refresh_token, expires: first.expiresIn() > 3000, again: await refusal(() => oidc.authorizationCodeGrant(config, landed, checks)) })
  return first
}

async function attacks(config) {
  const saw = { saw: 'attacks' }
  let { checks, url } = await ask(config)
  saw.state = await refusal(async () => oidc.authorizationCodeGrant(config, await browse({ open: url }), { ...checks, expectedState: 'another' }));
  ({ checks, url } = await ask(config))
  saw.nonce = await refusal(async () => oidc.authorizationCodeGrant(config, await browse({ open: url }), { ...checks, expectedNonce: 'another' }));
  ({ checks, url } = await ask(config))
  saw.verifier = await refusal(async () => oidc.authorizationCodeGrant(config, await browse({ open: url }), { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }));
  ({ checks, url } = await ask(config, { prompt: 'none' }))
  saw.silent = await refusal(async () => oidc.authorizationCodeGrant(config, await browse({ open: url, fresh: true }), checks))
  saw.refresh = await refusal(() => oidc.refreshTokenGrant(config, 'made-up'))
  saw.secret = await refusal(async () => oidc.clientCredentialsGrant(await discover(CLIENT, oidc.ClientSecretPost('wrong')), { scope: 'https://graph.microsoft.com/.default' }))
  say(saw)
}

async function deviceFlow() {
  const config = await discover(TOOL, oidc.None())
  const begun = await oidc.initiateDeviceAuthorization(config, { scope: 'openid offline_access ' + SCOPE })
  const polling = oidc.pollDeviceAuthorizationGrant(config, { ...begun, interval: 1 })
  await browse({ open: begun.verification_uri, code: begun.user_code })
  const got = await polling
  const declined = await oidc.initiateDeviceAuthorization(config, { scope: 'openid ' + SCOPE })
  const refused = refusal(() => oidc.pollDeviceAuthorizationGrant(config, { ...declined, interval: 1 }))
  await browse({ open: declined.verification_uri, code: declined.user_code, cancel: true })
  say({ saw: 'device', oid: got.claims().oid, life: begun.expires_in, refreshed: (await oidc.refreshTokenGrant(config, got.refresh_token)).token_type, declined: await refused })
}

const post = await discover(CLIENT, oidc.ClientSecretPost(SECRET))
const first = await codeFlow(post, 'secret in the form')
await codeFlow(await discover(CLIENT, oidc.ClientSecretBasic(SECRET)), 'secret in the header')
const key = await crypto.subtle.importKey('pkcs8', createPrivateKey(KEY).export({ type: 'pkcs8', format: 'der' }), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
await codeFlow(await discover(CLIENT, oidc.PrivateKeyJwt(key)), 'a signed assertion')
say({ saw: 'app', type: (await oidc.clientCredentialsGrant(post, { scope: 'https://graph.microsoft.com/.default' })).token_type })
await attacks(post)
await deviceFlow()
const still = await ask(post, { prompt: 'none' })
say({ saw: 'signed in', silent: await refusal(async () => oidc.authorizationCodeGrant(post, await browse({ open: still.url, out: true }), still.checks)) })
await browse({ open: oidc.buildEndSessionUrl(post, { post_logout_redirect_uri: REDIRECT, id_token_hint: first.id_token }).href, out: true })
const { checks, url } = await ask(post, { prompt: 'none' })
say({ saw: 'signed out', silent: await refusal(async () => oidc.authorizationCodeGrant(post, await browse({ open: url, out: true }), checks)) })
say({ done: true })
process.exit(0)
