import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const single = ["docs.html", "index.html", "package-lock.json", "tsconfig.json", "vite.config.ts"];

/** Write down what dist/ was built from; tests/test_serve_web.py compares it with the sources. */
function fingerprint(): Plugin {
  return {
    name: "fingerprint",
    apply: "build",
    closeBundle() {
      const folders = ["public", "src"].flatMap((folder) =>
        readdirSync(join(here, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1)),
      );
      const sum = createHash("sha256");
      for (const path of [...single, ...folders].sort()) {
        sum.update(path).update("\0").update(readFileSync(join(here, path))).update("\0");
      }
      writeFileSync(join(here, "dist", "sources.sha256"), `${sum.digest("hex")}\n`);
    },
  };
}

export default defineConfig({
  plugins: [react(), fingerprint()],
  build: {
    rollupOptions: { input: { index: join(here, "index.html"), docs: join(here, "docs.html") } },
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8000", ws: true } } },
});
