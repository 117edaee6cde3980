// What people put beside a session: a note with labels, and a pin.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../api/client";
import type { By } from "../parts/ChangeDialog";

export interface Words {
  labels: string[];
  note: string;
}

function useAnew() {
  const client = useQueryClient();
  return () =>
    Promise.all(
      ["session", "sessions", "facet"].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
}

/** Says something of a session, or takes back what was said where nothing is left of it. */
export function useSay(id: string) {
  const onSuccess = useAnew();
  return useMutation({
    mutationFn: ({ labels, note, ...by }: Words & By): Promise<unknown> => {
      const params = { path: { id }, query: by };
      return labels.length === 0 && note.trim() === ""
        ? body(api.DELETE("/v1/sessions/{id}/note", { params }))
        : body(api.PUT("/v1/sessions/{id}/note", { params, body: { labels, note } }));
    },
    onSuccess,
  });
}

/** Keeps a session beyond its time, or lets it go then. */
export function usePin(id: string) {
  const onSuccess = useAnew();
  return useMutation({
    mutationFn: ({ pinned, ...by }: { pinned: boolean } & By): Promise<unknown> => {
      const params = { path: { id }, query: by };
      return pinned
        ? body(api.PUT("/v1/sessions/{id}/pin", { params }))
        : body(api.DELETE("/v1/sessions/{id}/pin", { params }));
    },
    onSuccess,
  });
}
