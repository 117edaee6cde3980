// The OpenAPI documents that say what applications have.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { By } from "../parts/ChangeDialog";

const KEY = ["applications"];

export function useApplications() {
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await body(api.GET("/v1/applications", { signal }))).items,
    refetchInterval: 30_000,
  });
}

interface Upload extends By {
  application: string;
  /** Null: the document is forgotten. */
  text: string | null;
}

/** Says what an application's API is; endpoints are asked for anew then. */
export function useDescribe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ application, text, ...by }: Upload): Promise<unknown> => {
      const params = { path: { application }, query: by };
      if (text === null) {
        return body(api.DELETE("/v1/applications/{application}/openapi", { params }));
      }
      const isJson = text.trimStart().startsWith("{");
      return body(
        api.PUT("/v1/applications/{application}/openapi", {
          params,
          headers: { "content-type": isJson ? "application/json" : "application/yaml" },
          // As it is: the service reads both.
          body: text as never,
          bodySerializer: (it: unknown) => it as string,
        }),
      );
    },
    onSuccess: () =>
      Promise.all(
        [KEY, ["endpoints"], ["endpoint"]].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
