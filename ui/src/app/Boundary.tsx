import { Component, type ReactNode } from "react";
import { Failed } from "../parts/State";

/** A page that breaks says so; the others still work. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return <Failed error={this.state.error} retry={() => window.location.reload()} />;
  }
}
