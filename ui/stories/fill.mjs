// Records without traffic: what a filter would send, through the API that takes it. For questions of
// size that the demo's traffic is too small for; what sessions mean is not asked of these.
import { BASE, eventually, expect, ask } from "./browser.mjs";

const BATCH_RECORDS = 2000;
const HOUR_US = 3_600_000_000;
const AGENTS = [
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
  "ExampleShop/5.2.0 (Android 15; Pixel 8) okhttp/4.12.0",
];
/** Method, path and usual milliseconds of a visit to a shop. */
const STEPS = [
  ["GET", () => "/", 4],
  ["GET", () => "/api/products", 9],
  ["GET", (n) => `/api/products/${n % 997}`, 6],
  ["GET", (n) => `/api/products/${n % 997}/reviews`, 12],
  ["GET", (n) => `/api/stock/${n % 997}`, 3],
  ["POST", () => "/api/cart/items", 15],
  ["GET", () => "/api/cart", 5],
  ["POST", () => "/api/checkout", 80],
  ["GET", (n) => `/api/orders/${n % 5003}`, 8],
  ["GET", () => "/api/search", 140],
];

/** Sends `count` records: of sessions with `each` requests, spread over the last `hours`. */
export async function fill({ count, each, hours, boot, application = "filled" }) {
  const { store } = await ask("/v1/status");
  const sessions = Math.ceil(count / each);
  const end = Date.now() * 1000;
  const stepUs = Math.floor((hours * HOUR_US) / count);
  const batches = Math.ceil(count / BATCH_RECORDS);
  for (let sequence = 0; sequence < batches; sequence += 1) {
    const from = sequence * BATCH_RECORDS;
    const many = Math.min(BATCH_RECORDS, count - from);
    const lines = Array.from({ length: many }, (_, index) => {
      const number = from + index;
      // Sessions go on side by side, a hundred at a time.
      const side = Math.min(100, sessions);
      const session = (Math.floor(number / (side * each)) * side + (number % side)) % sessions;
      const startUs = end - hours * HOUR_US + number * stepUs;
      return record({ index, number, session, startUs, boot, application });
    });
    await send({ boot, sequence, seen: from + many, lines, closedUs: end });
  }
  const before = store.records;
  await eventually(
    `${count} records stored`,
    async () => {
      const { store, log } = await ask("/v1/status");
      return store.records >= before + count && store.summed >= log.end;
    },
    3_600_000,
  );
  return sessionId(boot, 0);
}

const sessionId = (boot, number) => `${boot}${number.toString(16).padStart(16, "0")}`;

function record({ index, number, session, startUs, boot, application }) {
  const [method, path, ms] = STEPS[(number * 7 + session) % STEPS.length];
  const status = number % 211 === 0 ? 500 : number % 53 === 0 ? 404 : 200;
  const id = sessionId(boot, session);
  const duration = Math.round(ms * 1000 * (0.6 + ((number * 2654435761) % 1000) / 800));
  return {
    index,
    start_us: startUs,
    application,
    method,
    scheme: "https",
    host: "shop.example",
    path: path(number + session),
    status,
    response_bytes: 200 + (number % 4000),
    duration_us: duration,
    upstream_us: duration - 300,
    client_ip: `10.${session >> 16}.${(session >> 8) & 255}.${session & 255}`,
    user_agent: AGENTS[session % AGENTS.length],
    content_type: "application/json",
    key: "cookie",
    request_session: id,
    session: id,
    params: [{ name: "user", value: `user-${session % 9973}@mail.example`, kind: "user" }],
  };
}

async function send({ boot, sequence, seen, lines, closedUs }) {
  const header = {
    throughline: 1,
    boot,
    worker: 0,
    sequence,
    records: lines.length,
    closed_us: closedUs,
    capture_point: "gateway",
    node: "filled",
    policy_version: "v1",
    filter_version: "0.1.0",
    ledger: { seen, acknowledged: seen - lines.length, dropped: NOTHING },
  };
  const body = [header, ...lines].map((line) => JSON.stringify(line)).join("\n") + "\n";
  const headers = {
    authorization: `Bearer ${process.env.INGEST_TOKEN ?? ""}`,
    "content-type": "application/x-ndjson",
  };
  // A service that has enough says so, and takes it later.
  await eventually(
    `batch ${sequence} is taken`,
    async () => {
      const answer = await fetch(`${BASE}/v1/ingest`, { method: "POST", headers, body });
      if (answer.ok) return true;
      expect(
        answer.status === 503,
        `the batch is taken, not ${answer.status}: ${await answer.text()}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 500));
      return false;
    },
    600_000,
  );
}

const NOTHING = { buffer_full: 0, rejected: 0, unwritable: 0 };
