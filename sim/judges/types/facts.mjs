// What a schema says without its prose.

const kept = ['$ref', 'const', 'enum', 'type', 'required', 'minLength', 'maxLength', 'minItems', 'maxItems', 'additionalProperties', 'properties', 'items', 'anyOf', 'allOf', 'not'];
const prose = ['$schema', 'definitions', 'description', 'default', 'deprecated', 'examples', 'see', 'example', 'title'];

// facts copies a schema without prose. Definitions that are referred to get their
// names by rename.
export function facts(schema, rename) {
  if (typeof schema === 'boolean') return schema;
  const unknown = Object.keys(schema).filter((k) => !kept.includes(k) && !prose.includes(k));
  if (unknown.length > 0) throw new Error(`what is ${unknown}? Keep it or leave it out`);
  const copy = (s) => facts(s, rename);
  const out = {};
  for (const k of kept.filter((k) => k in schema)) {
    const v = schema[k];
    if (k === '$ref') out[k] = rename(v);
    else if (k === 'properties') out[k] = Object.fromEntries(Object.keys(v).sort().map((name) => [name, limit(copy(v[name]), v[name].description)]));
    else if (k === 'anyOf' || k === 'allOf') out[k] = v.map(copy);
    else if (k === 'items') out[k] = Array.isArray(v) ? v.map(copy) : copy(v);
    else if (k === 'additionalProperties' || k === 'not') out[k] = copy(v);
    else out[k] = k === 'required' ? v.toSorted() : v;
  }
  return out;
}

// closed refuses what a named type does not name, also where it names something
// and then, by an index, lets all else in.
export const closed = (schema) => (schema.properties ? { ...schema, additionalProperties: false } : schema);

// limit adds the lengths and counts that a property's comment gives.
function limit(schema, comment = '') {
  const text = comment.replace(/\s+/g, ' ');
  const number = (pattern) => { const found = pattern.exec(text); return found && Number(found[1].replace(',', '')); };
  const most = number(/maximum length[^.]*?(\d[\d,]*)/i) ?? number(/\blimit ([\d,]+) char/i);
  const least = number(/minimum length[^.]*?(\d+)/i);
  const length = { ...(least && { minLength: least }), ...(most && { maxLength: most }) };
  if (schema.type === 'array') return { ...schema, ...counts(number), items: width(lengthOf(schema.items, length), number) };
  return lengthOf(schema, length);
}

function counts(number) {
  const most = number(/maximum(?: number of [^.]*? is| of)? (\d+)/i) ?? number(/\bup to (\d+) /i);
  const least = number(/minimum (\d+),/i);
  return { ...(least && { minItems: least }), ...(most && { maxItems: most }) };
}

// width is the count of a row's cells.
function width(items, number) {
  const most = number(/each row[^.]* max of (\d+)/i);
  return most ? { ...items, maxItems: most } : items;
}

// lengthOf limits a string, or the text of an object.
function lengthOf(schema, length) {
  if (Object.keys(length).length === 0) return schema;
  if (schema.type === 'string') return { ...schema, ...length };
  return schema.$ref || schema.anyOf ? { allOf: [schema, { properties: { text: length } }] } : schema;
}
