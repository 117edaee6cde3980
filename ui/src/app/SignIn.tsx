import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { giveToken, token } from "../api/tokens";
import style from "./App.module.css";

/** Asks for the read token; a wrong one brings one back here. */
export function SignIn() {
  const client = useQueryClient();
  const [value, setValue] = useState("");
  const wasWrong = token("read") !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    giveToken("read", value);
    void client.resetQueries();
  };
  return (
    <form className={style.signIn} onSubmit={submit}>
      <h1>Sign in</h1>
      <p className="soft">
        This service answers whoever has a read token of it:{" "}
        <code>throughline token create NAME --role read</code> makes one where it runs.
      </p>
      <label>
        Read token
        <input
          className="field mono"
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
      </label>
      {wasWrong && (
        <p className="bad" role="alert">
          The token given last is no read token of this service, or no longer.
        </p>
      )}
      <button type="submit" className="button main">
        Sign in
      </button>
      <p className="quiet">It is kept until this tab is closed, and sent to this service only.</p>
    </form>
  );
}
