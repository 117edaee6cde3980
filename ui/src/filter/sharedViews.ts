// Views that everyone sees: kept by the service, under a name.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { By } from "../parts/ChangeDialog";
import type { View } from "./views";

const KEY = ["views"];

/** The views that are kept by the service, by name. */
export function useSharedViews(): View[] {
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await body(api.GET("/v1/views", { signal }))).items,
    staleTime: 30_000,
    retry: false,
  });
  return (data ?? []).map(({ name, page, query }) => ({
    name,
    url: query === "" ? page : `${page}?${query}`,
  }));
}

interface Change extends By {
  name: string;
  /** Null: the view is forgotten. */
  url: string | null;
}

/** Keeps a view for everyone, or forgets it for everyone. */
export function useShareView() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, url, ...by }: Change): Promise<unknown> => {
      const params = { path: { name }, query: by };
      if (url === null) return body(api.DELETE("/v1/views/{name}", { params }));
      const [page = "", query = ""] = url.split("?");
      return body(api.PUT("/v1/views/{name}", { params, body: { page, query } }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
}
