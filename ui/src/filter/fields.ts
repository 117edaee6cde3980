// The fields of docs/filters.md, for completion and help. The API reads the filter itself and says
// what is wrong with it; nothing here decides what is right.
import { BOT_TYPES } from "../words/bot";
import { clientName } from "../words/client";

export interface Field {
  name: string;
  /** How a term mostly begins. */
  begins: string;
  about: string;
  /** Values to offer without looking at any session. */
  fixed?: readonly string[];
  /** Whether the API is asked which values there are. */
  isListed?: boolean;
}

const is = (name: string, about: string, more: Partial<Field> = {}): Field => ({
  name,
  begins: `${name}:`,
  about,
  ...more,
});
const atLeast = (name: string, about: string): Field => ({ name, begins: `${name}>=`, about });

const listed = { isListed: true };

export const FIELDS: readonly Field[] = [
  is("user", "value of a user parameter", listed),
  is("role", "value of a role parameter", listed),
  is("ip", "client address or network", listed),
  is("country", "country of a client address, two letters; needs --geo", listed),
  is("endpoint", "method and path template of a request", listed),
  is("path", "path of a request, * at its end", listed),
  is("status", "status of a request", { ...listed, fixed: ["4xx", "5xx"] }),
  is("method", "method of a request", listed),
  { name: "took", begins: "took>", about: "how long a request took, 500ms" },
  atLeast("requests", "how many requests"),
  atLeast("errors", "requests answered with 400 to 599"),
  atLeast("duration", "from the first request to the last, 10m"),
  atLeast("bytes", "of all bodies, 8MiB"),
  atLeast("visits", "how many visits"),
  is("has", "link, user, error, verdict, note or pin", {
    fixed: ["verdict", "link", "user", "error", "note", "pin"],
  }),
  is("label", "label that people gave the session", listed),
  is("verdict", "kind of bot that the verdict says", { ...listed, fixed: BOT_TYPES }),
  atLeast("confidence", "how sure the verdict is, 0 to 1"),
  is("app", "application", listed),
  is("key", "key rule that found the session", listed),
  is("ua", "part of the user agent", listed),
  is("host", "host of a request", listed),
  { name: "param", begins: "param.", about: "a context parameter by its name", ...listed },
  is("ua_family", "family of the user agent, such as Firefox or curl", listed),
  is("type", "content type of a response", listed),
  is("referer", "host of the referer", listed),
  is("flag", "Envoy's response flag, such as UF", listed),
  is("capture", "where it was seen, such as gateway", listed),
  is("policy", "version of the policy that the record was made with", listed),
  is("request", "x-request-id"),
  is("trace", "trace id or its first digits"),
  is("session", "session id or its first digits"),
];

/** The program in a user agent: `Chrome`, `curl`. */
export function program(agent: string): string {
  const word = clientName(agent).split(" ")[0] ?? "";
  // What stands in the text, not what we call it.
  const spelled = { Headless: "HeadlessChrome", Edge: "Edg", Opera: "OPR" }[word] ?? word;
  return agent.includes(spelled) ? spelled : agent;
}
