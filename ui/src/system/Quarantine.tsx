import { useQuery } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { Card } from "../parts/Card";
import { Bones, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { plural } from "../words/number";
import style from "./System.module.css";

/** Lines that could not be understood: kept, counted and shown. */
export function Quarantine({ count }: { count: number }) {
  const lines = useQuery({
    queryKey: ["quarantine", count],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/quarantine", { params: { query: { limit: 20 } }, signal })),
    enabled: count > 0,
  });
  if (count === 0) return null;
  return (
    <Card
      title="Quarantine"
      note={`${plural(count, "line")} that could not be understood, the newest first`}
    >
      {lines.isPending && <Bones rows={3} label="Lines are loading" />}
      {lines.isError && <Failed error={lines.error} />}
      <ul className={style.lines}>
        {lines.data?.items.map((line) => (
          <li key={line.record_id}>
            <Time at={line.arrived} /> <span className="warn">{line.reason}</span>
            <pre tabIndex={0}>{line.line}</pre>
          </li>
        ))}
      </ul>
    </Card>
  );
}
