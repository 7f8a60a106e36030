/** The first activity of an order. */
export async function reserve(orderId: string): Promise<string> {
  return `reserved ${orderId}`;
}

/** The second activity of an order. */
export async function ship(orderId: string, approver: string): Promise<string> {
  return `shipped ${orderId} for ${approver}`;
}
