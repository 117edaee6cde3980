import type { Endpoint } from "../api/schema";
import { utc } from "../words/time";
import style from "./Endpoints.module.css";

type Marked = Pick<Endpoint, "new" | "documented" | "unused" | "first_seen">;

/** What is odd about an endpoint, in a word each. */
export function Marks({ of }: { of: Marked }) {
  const first = of.first_seen == null ? "" : `, ${utc(of.first_seen)}`;
  return (
    <>
      {of.new && (
        <span className={`${style.mark} ${style.isNew}`} title={`First asked for lately${first}`}>
          new
        </span>
      )}
      {of.documented === false && (
        <span
          className={`${style.mark} ${style.isOdd}`}
          title="No operation of the OpenAPI document of its application"
        >
          not documented
        </span>
      )}
      {of.unused && (
        <span
          className={style.mark}
          title="An operation of the OpenAPI document that nobody asked for in this time"
        >
          unused
        </span>
      )}
    </>
  );
}
