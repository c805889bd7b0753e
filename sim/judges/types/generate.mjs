// Turns Slack's own TypeScript types into one JSON schema of facts: names, types,
// what is required, and the lengths and counts that the types' comments give. A
// definition a line, sorted; equal ones once.
//   npm ci && npm run generate
import { readFileSync } from 'node:fs';
import { createFormatter, createParser, createProgram, SchemaGenerator } from 'ts-json-schema-generator';
import ts from 'typescript';
import { closed, facts } from './facts.mjs';
import { merged } from './merge.mjs';
import { told } from './union.mjs';

process.chdir(import.meta.dirname);
const config = { path: 'roots.ts', tsconfig: 'tsconfig.json', skipTypeCheck: true, jsDoc: 'extended', expose: 'all', topRef: false, additionalProperties: false, encodeRefs: false };
const program = createProgram(config);
const declared = new Map(program.getSourceFiles().flatMap((file) => file.statements.filter((s) => s.name).map((s) => [s.name.text, s])));
const schemaOf = (type) => new SchemaGenerator(program, createParser(program, config), createFormatter(config), config).createSchemaFromNodes([declared.get(type)]);

const roots = {};
const definitions = new Map(); // by the type they belong to and their name

function take(type) {
  const schema = schemaOf(type);
  const rename = (ref) => `${type}/${ref.replace('#/definitions/', '')}`;
  for (const [name, d] of Object.entries(schema.definitions)) {
    const known = name === 'Block' && 'KnownBlock' in schema.definitions ? { $ref: '#/definitions/KnownBlock' } : d; // else no block were unknown
    definitions.set(rename(name), closed(facts(known, rename)));
  }
  return facts(schema, rename);
}

for (const type of ['Said', 'Heard', 'Answered', 'ShownMessage', 'ShownChannel']) {
  for (const [name, schema] of Object.entries(take(type).properties)) roots[`${/^[A-Z][a-z]+/.exec(type)[0].toLowerCase()}.${name}`] = schema;
}
// The methods that the simulator serves: types of their names say what they answer,
// and those of nearly all what they may be asked, and must.
for (const [, method] of readFileSync('../../slack/methods.go', 'utf8').matchAll(/^\t"([\w.]+)":/gm)) {
  const type = method.split('.').map((part) => part[0].toUpperCase() + part.slice(1)).join('');
  roots[`answered.${method}`] = take(`${type}Response`);
  if (declared.has(`${type}Arguments`)) roots[`asked.${method}`] = names(`${type}Arguments`);
}

// names are those that any alternative of a type has, and all of them require;
// their values are texts in a form, so that nothing is said of them.
function names(type) {
  const one = program.getTypeChecker().getTypeAtLocation(declared.get(type));
  const each = (one.isUnion() ? one.types : [one]).map((t) => t.getProperties());
  const must = each.map((all) => all.filter((p) => !(p.flags & ts.SymbolFlags.Optional)).map((p) => p.name)).reduce((a, b) => a.filter((n) => b.includes(n)));
  const known = [...new Set(each.flat().map((p) => p.name))];
  return { type: 'object', required: must.sort(), additionalProperties: false, properties: Object.fromEntries(known.sort().map((n) => [n, {}])) };
}

const all = merged(roots, definitions);
const lines = Object.keys(all).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(told(all[name], all))}`);
process.stdout.write(`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{\n${lines.join(',\n')}\n}}\n`);
