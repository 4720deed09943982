import { typeOf, type Schema } from "./openapi";

/** A type in words, with links to the shapes it names. */
export function Type({ schema }: { schema: Schema }) {
  return (
    <span className="mono type">
      {typeOf(schema).map((part, i) =>
        typeof part === "string" ? (
          part
        ) : (
          <a key={i} href={`#${part.ref}`}>
            {part.ref}
          </a>
        ),
      )}
    </span>
  );
}

/** One shape: its fields, their types and what they mean. */
export function Shape({ name, schema }: { name: string; schema: Schema }) {
  return (
    <article className="panel shape" id={name}>
      <h3>{name}</h3>
      {schema.description && <p className="muted">{schema.description}</p>}
      <dl className="fields">
        {Object.entries(schema.properties ?? {}).map(([field, one]) => (
          <div key={field}>
            <dt className="mono">{field}</dt>
            <dd>
              <Type schema={one} />
              {one.description && <span className="muted"> {one.description}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </article>
  );
}
