/** The expression language of topology files; see DIALECT.md. */
export {
  type AggregateCall,
  type AggregateName,
  type CompiledAggregate,
  compileAggregateExpression,
} from './aggregate.ts';
export { type Compiled, type CompileOptions, compileExpression, type Failed, type Wanted } from './compile.ts';
export { expressionErrors, type Problem } from './errors.ts';
