/** As much of OpenAPI 3.1 as this server's description uses. */

export interface Schema {
  $ref?: string;
  type?: string;
  title?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  items?: Schema;
  anyOf?: Schema[];
  prefixItems?: Schema[];
  additionalProperties?: Schema | boolean;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

export interface Example {
  summary?: string;
  description?: string;
  value: unknown;
}

interface Content {
  schema?: Schema;
  examples?: Record<string, Example>;
}

export interface Operation {
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
}

export interface Document {
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export const refName = (ref: string): string => ref.split("/").at(-1) ?? ref;

/** A type in words, with the names of other shapes in it marked for linking. */
export function typeOf(schema: Schema): (string | { ref: string })[] {
  if (schema.$ref) return [{ ref: refName(schema.$ref) }];
  if (schema.anyOf) return schema.anyOf.flatMap((one, i) => [...(i ? [" or "] : []), ...typeOf(one)]);
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((one) => JSON.stringify(one)).join(" or ")];
  if (schema.type === "array" && schema.items) return ["list of ", ...typeOf(schema.items)];
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return ["map to ", ...typeOf(schema.additionalProperties)];
  }
  return [schema.type ?? "any"];
}

export function contentOf(operation: Operation, status: string): Schema | undefined {
  return Object.values(operation.responses[status]?.content ?? {})[0]?.schema;
}
