export function Speed() {
  return <p class="empty">Speed</p>;
}
