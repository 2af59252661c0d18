/** Milliseconds that processors have worked for this process since `began`. Other programs do not change it, as they do time. */
export function workSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}
