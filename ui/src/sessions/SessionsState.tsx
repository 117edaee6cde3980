// What stands in the table's place when it has no rows: loading, failed, nothing yet, no match.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import { setQuery } from "../app/router";
import { Bones, Empty, Failed } from "../parts/State";
import { statusQuery } from "../system/data";

interface Props {
  pending: boolean;
  error: Error | null;
  retry: () => void;
  words: string[];
  last: string;
  onWords: (words: string[]) => void;
}

export function SessionsState({ pending, error, retry, words, last, onWords }: Props) {
  const status = useQuery({ ...statusQuery, enabled: !pending && !error });
  if (error) return <Failed error={error} retry={retry} />;
  if (pending || status.isPending) return <Bones rows={16} label="Sessions are loading" />;
  if (status.data?.store.records === 0) {
    return (
      <Empty
        title="No request has been recorded yet"
        actions={
          <Link className="button main" to="/system/connect">
            Connect an Envoy
          </Link>
        }
      >
        <p>
          Sessions appear here within a second of the first request that passes an Envoy with the
          filter.
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title={words.length > 0 ? "No session matches" : "No session in this time"}
      actions={
        <>
          {words.map((word) => (
            <button
              key={word}
              type="button"
              className="button"
              onClick={() => onWords(words.filter((other) => other !== word))}
            >
              Without <span className="mono">{word}</span>
            </button>
          ))}
          {last !== "all" && (
            <button type="button" className="button" onClick={() => setQuery({ last: "all" })}>
              Over all time
            </button>
          )}
        </>
      }
    >
      <p>
        {words.length > 0
          ? "There are records, but none of a session that fits all of this:"
          : "There are older ones."}
        {words.length > 0 && <span className="mono"> {words.join("  ")}</span>}
      </p>
    </Empty>
  );
}
