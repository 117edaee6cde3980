import { expect, test } from "vitest";
import { keyPlace } from "./keyPlace";

const POLICY = {
  keys: [
    { name: "token", from: { bearer: {} } },
    { name: "answer", from: { response: { json: "/token" } } },
    { name: "both", from: [{ header: "x-device" }, { cookie: "sid", decode: ["base64"] }] },
    { name: "claim", from: { jwt: { claim: "sub", in: { bearer: {} } } } },
  ],
};

test.each([
  ["token", { side: "request", places: ["bearer"] }],
  ["answer", { side: "answer", places: ["json /token"] }],
  ["both", { side: "request", places: ["header x-device", "cookie sid"] }],
  ["claim", { side: "request", places: ["jwt sub"] }],
  ["ip_user_agent", null],
])("the place of %s", (rule, expected) => expect(keyPlace(POLICY, rule)).toEqual(expected));

test("without a policy nothing is known", () => expect(keyPlace(null, "token")).toBeNull());
