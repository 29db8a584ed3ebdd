import Evaluation

EvalCommand.main()
