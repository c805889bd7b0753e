// Slack declares the same types again for each answer. merged keeps one of those
// that are equal: that say the same, and refer to equal ones.
export function merged(roots, definitions) {
  const groups = classify(definitions);
  const names = christen(definitions, groups);
  const rename = (schema) => JSON.parse(write(schema, (ref) => {
    if (!groups.has(ref)) throw new Error(`nothing is called ${ref}`);
    return `#/definitions/${names.get(groups.get(ref))}`;
  }));
  const out = {};
  for (const [name, d] of definitions) out[names.get(groups.get(name))] = rename(d);
  for (const [name, schema] of Object.entries(roots)) out[name] = rename(schema);
  return out;
}

// classify numbers definitions alike that are equal. It takes all for equal, and
// parts them until what they refer to parts none any more.
function classify(definitions) {
  let groups = new Map();
  for (let before = -1, now = 0; before !== now; ) {
    const numbers = new Map();
    const next = new Map();
    for (const [name, d] of definitions) {
      const says = write(d, (ref) => groups.get(ref) ?? 0);
      if (!numbers.has(says)) numbers.set(says, numbers.size);
      next.set(name, numbers.get(says));
    }
    [before, now, groups] = [now, numbers.size, next];
  }
  return groups;
}

// christen names each group by its first member, and by the type that it comes
// from if others have that name too.
function christen(definitions, groups) {
  const names = new Map();
  const taken = new Set();
  for (const full of definitions.keys()) {
    const group = groups.get(full);
    if (names.has(group)) continue;
    const [type, ...rest] = full.split('/');
    const plain = rest.join('/').replace(/\W+/g, '_');
    const name = taken.has(plain) ? `${plain}_of_${type}` : plain;
    taken.add(name);
    names.set(group, name);
  }
  return names;
}

const write = (schema, rename) => JSON.stringify(schema, (key, value) => (key === '$ref' && typeof value === 'string' ? rename(value) : value));
