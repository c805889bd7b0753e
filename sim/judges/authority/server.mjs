// oauth2-mock-server, unmodified, as a second authority. Its documented events
// give the tokens what Entra's have and the standard doesn't: the account's
// object id and tenant, and MSAL's client_info. It ends with its standard input.
import { OAuth2Server } from 'oauth2-mock-server'

const { ISSUER, TENANT, OBJECT, NAME, SCOPE } = process.env
const server = new OAuth2Server()
await server.issuer.keys.generate('RS256')
await server.start(0, '127.0.0.1')
const port = server.address().port
server.issuer.url = ISSUER
let spoil = ''

server.service.on('beforeTokenSigning', (token) => {
  Object.assign(token.payload, { oid: OBJECT, tid: TENANT, sub: OBJECT, preferred_username: NAME, auth_time: Math.floor(Date.now() / 1000) })
  if (spoil === 'nonce' && token.payload.nonce) token.payload.nonce = 'another'
  if (spoil === 'tenant') token.payload.tid = '00000000-0000-4000-8000-000000000000'
})
server.service.on('beforeResponse', (answer) => {
  Object.assign(answer.body, { client_info: Buffer.from(JSON.stringify({ uid: OBJECT, utid: TENANT })).toString('base64url'), scope: SCOPE })
})
console.log(`http://127.0.0.1:${port}`)
process.stdin.on('data', (what) => { spoil = String(what).trim() })
process.stdin.on('end', () => process.exit(0))
