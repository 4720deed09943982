import { useState, type FormEvent } from "react";
import { contentOf, type Operation } from "./openapi";
import { indented } from "./indented";
import { Type } from "./Shape";

interface Props {
  method: string;
  path: string;
  operation: Operation;
}

interface Reply {
  status: number;
  took: number;
  text: string;
}

const MOST_SHOWN = 20_000;

function shown(text: string): string {
  text = indented(text);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n…` : text;
}

/** One route: what it does, what it answers, and a form that sends a real request. */
export function Route({ method, path, operation }: Props) {
  const parameters = operation.parameters ?? [];
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  const examples = Object.entries(body?.examples ?? {});
  const [values, setValues] = useState<Record<string, string>>({});
  const [text, setText] = useState(JSON.stringify(examples[0]?.[1].value ?? {}));
  const [reply, setReply] = useState<Reply | null>(null);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    let url = path;
    const query = new URLSearchParams();
    for (const parameter of parameters) {
      const value = values[parameter.name];
      if (parameter.in === "path") {
        url = url.replace(`{${parameter.name}}`, encodeURIComponent(value ?? ""));
      } else if (value) {
        query.set(parameter.name, value);
      }
    }
    const started = performance.now();
    try {
      const response = await fetch(query.size ? `${url}?${query}` : url, {
        method: method.toUpperCase(),
        ...(body && { body: text, headers: { "content-type": "application/json" } }),
      });
      const answer = await response.text();
      setReply({ status: response.status, took: performance.now() - started, text: shown(answer) });
    } catch (error) {
      setReply({ status: 0, took: performance.now() - started, text: String(error) });
    }
  };

  const answers = contentOf(operation, "200");
  const problems = Object.keys(operation.responses).filter((status) => status !== "200");
  return (
    <article className="panel route" id={`${method}${path}`}>
      <h3>
        <span className={`method method-${method}`}>{method}</span>
        <code>{path}</code>
      </h3>
      <p>{operation.description}</p>
      <p className="muted">
        {answers && (
          <>
            Answers <Type schema={answers} />
          </>
        )}
        {problems.length > 0 && (
          <>
            ; problems {problems.join(", ")} as <a href="#ProblemDocument">ProblemDocument</a>
          </>
        )}
      </p>
      <form onSubmit={send}>
        {parameters.map((parameter) => (
          <label key={parameter.name}>
            <span>
              {parameter.name} <Type schema={parameter.schema} />
            </span>
            <input
              required={parameter.required ?? false}
              placeholder={parameter.schema.default === undefined ? "R_75" : String(parameter.schema.default)}
              value={values[parameter.name] ?? ""}
              onChange={(event) => setValues({ ...values, [parameter.name]: event.target.value })}
            />
          </label>
        ))}
        {body && (
          <label className="wide">
            <span>
              body {body.schema && <Type schema={body.schema} />}
              {examples.map(([name, example]) => (
                <button
                  key={name}
                  type="button"
                  className="example"
                  title={example.summary}
                  onClick={() => setText(JSON.stringify(example.value))}
                >
                  {name}
                </button>
              ))}
            </span>
            <textarea rows={3} spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} />
          </label>
        )}
        <button type="submit" className="send">
          Send
        </button>
      </form>
      {reply && (
        <div className="reply" role="status">
          <p className="mono">
            <span className={reply.status === 200 ? "text-up" : "text-down"}>{reply.status || "no answer"}</span>
            <span className="muted"> in {reply.took.toFixed(1)} ms</span>
          </p>
          <pre tabIndex={0}>{reply.text}</pre>
        </div>
      )}
    </article>
  );
}
