// What an attempt asked its node for, where that is not what the client named: a request by an alias goes from model to model.

export const attemptModels = `
ALTER TABLE requests ADD COLUMN attempt_model TEXT;
ALTER TABLE attempts ADD COLUMN model TEXT;
`;
