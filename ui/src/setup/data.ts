// The policy and everything around it; after a change all of it is asked anew.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { By } from "../parts/ChangeDialog";

export const policyQuery = queryOptions({
  queryKey: ["policy", "current"],
  queryFn: ({ signal }) => body(api.GET("/v1/policy", { signal })),
  refetchInterval: 10_000,
});

export const candidatesQuery = queryOptions({
  queryKey: ["policy", "candidates"],
  queryFn: ({ signal }) => body(api.GET("/v1/policy/candidates", { signal })),
});

export const comparisonQuery = (name: string) =>
  queryOptions({
    queryKey: ["policy", "comparison", name],
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/policy/candidates/{name}/comparison", { params: { path: { name } }, signal }),
      ),
    refetchInterval: 10_000,
  });

/** Heavy for the service: asked only when somebody wants to know. */
export const verdictsQuery = (name: string) =>
  queryOptions({
    queryKey: ["policy", "candidate-verdicts", name],
    queryFn: ({ signal }) =>
      body(
        api.GET("/v1/policy/candidates/{name}/verdicts", { params: { path: { name } }, signal }),
      ),
    enabled: false,
    retry: false,
    staleTime: Infinity,
  });

export const finderQuery = queryOptions({
  queryKey: ["policy", "finder"],
  queryFn: ({ signal }) => body(api.GET("/v1/policy/finder", { signal })),
  refetchInterval: 10_000,
});

export const versionsQuery = queryOptions({
  queryKey: ["policy", "versions"],
  queryFn: ({ signal }) => body(api.GET("/v1/policy/versions", { signal })),
});

export const versionQuery = (version: number) =>
  queryOptions({
    queryKey: ["policy", "version", version],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/policy/versions/{version}", { params: { path: { version } }, signal })),
    staleTime: Infinity,
  });

export const auditQuery = queryOptions({
  queryKey: ["policy", "audit"],
  queryFn: ({ signal }) =>
    body(api.GET("/v1/audit", { params: { query: { limit: 100 } }, signal })),
});

/** The API describes documents as objects; a policy is sent as the text that was written. */
type Document = Record<string, never>;

export function asYaml(text: string) {
  return {
    body: text as unknown as Document,
    bodySerializer: (sent: unknown) => String(sent),
  };
}

/** Makes a text the policy, in place of version `replaces`. */
export function putPolicy(text: string, replaces: number, by: By) {
  const params = { query: { ...by }, header: { "If-Match": `"v${replaces}"` } };
  const headers = { "content-type": "application/yaml" };
  return body(api.PUT("/v1/policy", { params, headers, ...asYaml(text) }));
}

export interface Sample {
  clients_share: number;
  minutes: number;
}

export function putCandidate(name: string, policy: unknown, sample: Sample, by: By) {
  const params = { path: { name }, query: { ...by } };
  const sent = { policy: policy as Document, ...sample };
  return body(api.PUT("/v1/policy/candidates/{name}", { params, body: sent }));
}

export function endCandidate(name: string, by: By) {
  const params = { path: { name }, query: { ...by } };
  return body(api.DELETE("/v1/policy/candidates/{name}", { params }));
}

export function rollBack(version: number, by: By) {
  return body(api.POST("/v1/policy/rollback", { params: { query: { ...by } }, body: { version } }));
}

export function startFinder(sample: Sample, by: By) {
  return body(api.PUT("/v1/policy/finder", { params: { query: { ...by } }, body: sample }));
}

export function stopFinder(by: By) {
  return body(api.DELETE("/v1/policy/finder", { params: { query: { ...by } } }));
}

/** A change, after which everything about the policy is asked anew. */
export function useChange<A>(change: (given: A) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: ["policy"] }),
  });
}
