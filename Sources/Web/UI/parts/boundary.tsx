import { Component, type ReactNode } from 'react';
import { Problem } from '../api.ts';
import { ErrorState } from './states.tsx';

/** A page that fails says so and leaves the rest standing; going elsewhere, or trying again, starts anew. */
export class Boundary extends Component<{ place: string; children: ReactNode }, { error: unknown; place: string }> {
  override state = { error: null as unknown, place: this.props.place };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  static getDerivedStateFromProps(
    props: { place: string },
    state: { place: string },
  ): { error: null; place: string } | null {
    return props.place === state.place ? null : { error: null, place: props.place };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    const problem = new Problem(-1, {
      title: 'This page failed',
      detail: `That is a fault of Timberline, not yours. ${this.state.error}`,
    });
    return <ErrorState problem={problem} onRetry={() => this.setState({ error: null })} />;
  }
}
