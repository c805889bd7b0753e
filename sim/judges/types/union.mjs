// told tells the alternatives of unions apart by the type that each of them has:
// that is quicker than to try them all, and what is wrong is said of the one that
// was meant.
export function told(schema, definitions) {
  if (Array.isArray(schema)) return schema.map((one) => told(one, definitions));
  if (schema === null || typeof schema !== 'object') return schema;
  const { anyOf, ...rest } = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, told(v, definitions)]));
  if (!anyOf) return rest;
  const kinds = new Map();
  for (const { ref, shape } of anyOf.flatMap((one) => alternatives(one, definitions))) {
    const kind = shape.properties?.type?.const;
    kinds.set(kind, [...(kinds.get(kind) ?? []), ref]);
  }
  if (kinds.has(undefined) || kinds.size === 1) return { ...rest, anyOf };
  const when = ([kind, all]) => ({ if: { properties: { type: { const: kind } } }, then: all.length > 1 ? { anyOf: all } : all[0] });
  return { ...rest, type: 'object', required: ['type'], properties: { type: { enum: [...kinds.keys()] } }, allOf: [...kinds].map(when) };
}

// alternatives are those of a union and of the unions in it, as they are written
// and what they are.
function alternatives(schema, definitions) {
  const shape = schema.$ref ? definitions[schema.$ref.replace('#/definitions/', '')] : schema;
  return shape.anyOf ? shape.anyOf.flatMap((one) => alternatives(one, definitions)) : [{ ref: schema, shape }];
}
