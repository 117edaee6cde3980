// The policy's JSON Schema, as far as an editor needs it: what may stand at a place.
import document from "../../../../docs/policy.schema.json";

export interface Schema {
  $ref?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  $defs?: Record<string, Schema>;
}

/** One step into a document: a field's name, or into a list. */
export type Step = string;
export const ITEM = "[]";

const ROOT = document as Schema;

/** Every schema that could hold at a place; none where nothing is known of it. */
export function schemasAt(path: Step[]): Schema[] {
  let now = alternatives(ROOT);
  for (const step of path) {
    now = now
      .flatMap((schema) => (step === ITEM ? schema.items : schema.properties?.[step]) ?? [])
      .flatMap(alternatives);
  }
  return now;
}

function alternatives(schema: Schema): Schema[] {
  if (schema.$ref !== undefined) {
    const named = ROOT.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return named ? alternatives(named) : [];
  }
  return schema.oneOf ? schema.oneOf.flatMap(alternatives) : [schema];
}

/** The fields that an object may have, over all that could hold. */
export function fieldsOf(schemas: Schema[]): Map<string, Schema> {
  const fields = new Map<string, Schema>();
  for (const { properties } of schemas) {
    for (const [name, schema] of Object.entries(properties ?? {})) {
      if (!fields.has(name)) fields.set(name, schema);
    }
  }
  return fields;
}

/** The only values that may stand there; empty where any may. */
export function valuesOf(schemas: Schema[]): string[] {
  const values = schemas.flatMap((schema) => {
    if (schema.enum) return schema.enum.map(String);
    if (schema.const !== undefined) return [String(schema.const)];
    return schema.type === "boolean" ? ["true", "false"] : [];
  });
  return [...new Set(values)];
}

/** What may stand there, in a few words. */
export function about(schema: Schema): string {
  const all = alternatives(schema);
  const [first] = all;
  if (!first) return "";
  if (schema.description !== undefined) return schema.description;
  const values = valuesOf(all);
  if (values.length > 0 && values.length <= 6) return values.join(", ");
  if (first.items) return "a list";
  if (first.description !== undefined) return first.description;
  const type = [first.type].flat().find((name) => name !== "null") ?? "";
  const words = { string: "text", integer: "a whole number", number: "a number" }[type] ?? "";
  return first.default == null ? words : `${words}, ${JSON.stringify(first.default)} if not given`;
}
