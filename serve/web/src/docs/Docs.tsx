import { useEffect, useState } from "react";
import { Mark } from "../parts/Mark";
import { ThemeButton } from "../parts/Header";
import { useTheme } from "../settings";
import { type Document } from "./openapi";
import { Route } from "./Route";
import { Shape } from "./Shape";

/** The API's description, read from the server itself, with requests to try. */
export function Docs() {
  const [theme, toggleTheme] = useTheme();
  const [document, setDocument] = useState<Document | null>(null);
  const [fault, setFault] = useState("");

  useEffect(() => {
    fetch("/openapi.json")
      .then((response) => response.json())
      .then((read) => setDocument(read as Document))
      .catch((error: unknown) => setFault(String(error)));
  }, []);

  const routes = Object.entries(document?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return (
    <>
      <header className="top">
        <a className="brand" href="/" aria-label="Pregão">
          <Mark />
          <span className="brand-name">Pregão</span>
          <span className="brand-line">the API</span>
        </a>
        <nav>
          <a className="tool" href="/openapi.json">
            openapi.json
          </a>
          <ThemeButton theme={theme} onTheme={toggleTheme} label="Light or dark" />
        </nav>
      </header>
      <main className="docs">
        <nav className="contents" aria-label="Contents">
          {routes.map(({ path, method }) => (
            <a key={method + path} href={`#${method}${path}`}>
              <span className={`method method-${method}`}>{method}</span>
              <code>{path.replace("/v1/", "")}</code>
            </a>
          ))}
          <a href="#stream">
            <span className="method">ws</span>
            <code>stream</code>
          </a>
          <a href="#shapes">Shapes</a>
        </nav>
        <div className="docs-body">
          <section className="docs-intro">
            <h1>What the floor sees, predicts, holds and may risk</h1>
            <p>{document?.info.description}</p>
            {fault && <p className="text-down">{fault}</p>}
          </section>
          {routes.map((route) => (
            <Route key={route.method + route.path} {...route} />
          ))}
          <article className="panel route" id="stream">
            <h3>
              <span className="method">ws</span>
              <code>/v1/stream</code>
            </h3>
            <p>
              A WebSocket that sends the whole floor as a <a href="#Frame">Frame</a> twice a second. It expects
              nothing from the client, and a slow one skips frames rather than queueing them.
            </p>
          </article>
          <h2 id="shapes" className="docs-heading">
            Shapes
          </h2>
          {Object.entries(document?.components.schemas ?? {}).map(([name, schema]) => (
            <Shape key={name} name={name} schema={schema} />
          ))}
        </div>
      </main>
    </>
  );
}
